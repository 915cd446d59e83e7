"""The head of a request within limits, and every refusal of the HTTP parser as a SCIM error."""

from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from scim2_models import Error
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ADDRESS = 32 * 1024
"""Longest address of a request in bytes; the longest filter fits with every byte of it escaped."""
HEADERS = 64 * 1024
"""Most bytes of all headers."""
_UNUSED = ADDRESS + HEADERS + 1024
_AROUND = len(": \r\n")


def error_answer(status: HTTPStatus, detail: str) -> bytes:
    """Return a whole HTTP/1.1 response that refuses a request and announces the end of the connection."""
    body = orjson.dumps(Error(status=status, detail=detail).model_dump())
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-type: application/scim+json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


_NO_REQUEST = error_answer(
    HTTPStatus.BAD_REQUEST, "this is no HTTP/1.1 request; check how its first line, headers and body are written"
)
_LONG_ADDRESS = error_answer(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    f"the address is longer than {ADDRESS} bytes; send a search as POST to /.search, or in parts",
)
_LARGE_HEADERS = error_answer(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"the headers have more than {HEADERS} bytes; send fewer or shorter ones",
)


class _TooLarge(Exception):
    """Stops the parser, which tells `send_400_response`."""


class HeadProtocol(HttpToolsProtocol):
    """Refuses an address that is too long (414), headers that are too large (431) and what is no HTTP (400).

    What comes after a refusal is read away for a moment: a connection that is closed on what its client still sends
    is reset, and the client would not see the answer.
    """

    linger_seconds: ClassVar[float] = 2
    is_refused: bool = False
    """Whether the connection has had its last answer."""
    _in_head: bool = False
    _unused: int = 0
    """Bytes that came since a head ended or a body grew; the parser may hold them all."""

    def data_received(self, data: bytes) -> None:
        """Understand what arrives, unless the connection is refused."""
        if self.is_refused:
            return
        self._unused += len(data)
        super().data_received(data)
        if self._unused > _UNUSED and not self.is_refused:
            self._refuse(self._size_refusal() or _LARGE_HEADERS)

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """Stop at a head that is too large."""
        if self._size_refusal() is not None:
            raise _TooLarge
        self._in_head, self._unused = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on what belongs to a body."""
        self._unused = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read, or was stopped at."""
        self._refuse(self._size_refusal() or _NO_REQUEST)

    def _refuse(self, answer: bytes) -> None:
        # Earlier requests that wait for their answers get those alone.
        self.is_refused = True
        cycle: Any = self.cycle
        if self._in_head and self._is_busy():
            cycle.keep_alive = False
            return
        if self.may_answer():
            self.transport.write(answer)
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        self.transport.write_eof()
        self.loop.call_later(self.linger_seconds, self.transport.close)

    def may_answer(self) -> bool:
        """Tell whether no answer has begun that is not finished."""
        cycle: Any = self.cycle
        return not self._is_busy() or not cycle.response_started

    def _is_busy(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _size_refusal(self) -> bytes | None:
        if self._in_head and len(self.url) > ADDRESS:
            return _LONG_ADDRESS
        headers = sum([len(name) + len(value) + _AROUND for name, value in self.headers or ()])
        return _LARGE_HEADERS if headers > HEADERS else None
