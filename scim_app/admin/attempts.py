"""How often something may be tried on the pages where nobody is signed in yet, and how many may wait for it."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

from fastapi import Request

from scim_app.admin.failures import PageProblem
from scim_app.rate import Buckets, network_of

BUSY_SECONDS = 2


class Attempts(Buckets):
    """At most so many attempts of a key in so many seconds, then none until time has passed."""

    def __init__(self, most: int, *, seconds: float) -> None:
        super().__init__(most / seconds, most)

    def require(self, key: str) -> None:
        """Count an attempt.

        Raises:
            PageProblem: with status 429 when there were too many.
        """
        if seconds := self.take(key):
            text = f"Too many attempts. Wait {seconds} seconds, then try again."
            raise PageProblem(HTTPStatus.TOO_MANY_REQUESTS, "Not so fast", text, retry_after=seconds)


class WaitingLine:
    """One at a time, a few wait, and the others are told to come again.

    Args:
        length: how many may be in it, the one at work included.
    """

    def __init__(self, length: int) -> None:
        self._length, self._inside = length, 0
        self._counting, self._turn = threading.Lock(), threading.Lock()

    @property
    def full(self) -> bool:
        """Whether the next one would be told to come again."""
        return self._inside >= self._length

    @contextmanager
    def turn(self) -> Generator[None]:
        """Wait for the turn, and keep it for the block.

        Raises:
            PageProblem: with status 429 when the line is full.
        """
        with self._counting:
            if self.full:
                text = f"Many people sign in at this moment. Wait {BUSY_SECONDS} seconds, then try again."
                raise PageProblem(HTTPStatus.TOO_MANY_REQUESTS, "Not so fast", text, retry_after=BUSY_SECONDS)
            self._inside += 1
        try:
            with self._turn:
                yield
        finally:
            with self._counting:
                self._inside -= 1


def address_of(request: Request) -> str:
    """Return where a request comes from, as attempts are counted: an IPv4 address, or a network of IPv6 addresses."""
    return network_of(request.client.host if request.client else "")
