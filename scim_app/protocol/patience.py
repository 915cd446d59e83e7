"""The HTTP/1.1 server, with a deadline for the arrival of a request: a slow client holds a connection, not for long."""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from scim2_models import Error
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientProtocol(HttpToolsProtocol):
    """Answers 408 and closes the connection when the headers or the body of a request are late."""

    header_seconds: ClassVar[float] = 10
    body_seconds: ClassVar[float] = 30
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_within(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect_nothing()
        super().connection_lost(exc)

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
        self._expect_nothing()

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._timer = self.loop.call_later(seconds, self._late)

    def _expect_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_LATE)
        self.transport.close()


def _response() -> bytes:
    status = HTTPStatus.REQUEST_TIMEOUT
    body = orjson.dumps(Error(status=status, detail="the request did not arrive in time").model_dump())
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-type: application/scim+json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


_LATE = _response()
