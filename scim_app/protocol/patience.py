"""The HTTP/1.1 server, with deadlines for clients: a slow one holds a connection, not for long."""

import asyncio
from http import HTTPStatus
from typing import ClassVar

from scim_app.protocol.http_head import HeadProtocol, error_answer


class PatientProtocol(HeadProtocol):
    """Answers 408 and closes the connection when the headers or the body of a request are late.

    A connection whose client does not read its answer is closed too. One timer serves all requests of a connection.
    """

    header_seconds: ClassVar[float] = 10
    body_seconds: ClassVar[float] = 30
    answer_seconds: ClassVar[float] = 30
    """How long a client may take to read what is buffered for it."""
    _deadline: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_within(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._deadline = None
        for timer in (self._timer, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Expect the client to read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.answer_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def on_message_begin(self) -> None:
        """Expect the headers of a request."""
        super().on_message_begin()
        self._expect_within(self.header_seconds)

    def on_headers_complete(self) -> None:
        """Expect the body."""
        super().on_headers_complete()
        self._expect_within(self.body_seconds)

    def on_message_complete(self) -> None:
        """Expect nothing until the next request begins; an idle connection is the server's to close."""
        super().on_message_complete()
        self._deadline = None

    def _expect_within(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds
        if self._timer is None:
            self._watch(seconds)

    def _watch(self, seconds: float) -> None:
        # Never longer than the shortest deadline, so that none is met late.
        self._timer = self.loop.call_later(min(seconds, self.header_seconds), self._check)

    def _check(self) -> None:
        self._timer = None
        if self._deadline is None or self.is_refused:
            return
        left = self._deadline - self.loop.time()
        if left > 0:
            self._watch(left)
        else:
            self._late()

    def _late(self) -> None:
        if self.may_answer():
            self.transport.write(_LATE)
        self.transport.close()


_LATE = error_answer(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time; send it again, faster")
