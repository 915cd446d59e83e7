"""How much a piece of work may cost where it runs: on the event loop little, elsewhere until a moment.

An allowance belongs to the thread that works. Work that can be long says what it is about to cost before it begins, in
values: one value of a document that is read once by the protocol library's models takes about 50 µs. SQLite asks while
a statement runs, and stops it.
"""

import math
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

READ_SECONDS = 10.0
"""How long a read may take, as PostgreSQL's `statement_timeout` has it."""
SHORT_VALUES = 500
"""What a write may cost in its transaction, which holds the only writer up: about 25 ms."""
MOST_VALUES = 100_000
"""What one request may cost at all: about 5 s in a thread of its own."""
BYTES_OF_VALUE = 1_000
"""So many bytes of a document cost as much as one value, where the models do not read it."""
SHORT_BYTES = 4 * 1024 * 1024
"""Documents that are read on the event loop for one answer; a few milliseconds."""
STEPS = 200_000
"""Steps of SQLite's machine for one statement on the event loop, about 10 ms, and between two looks at the clock."""


class LongWork(Exception):
    """The work is too long for its allowance; nothing of it was done."""


class _Allowance(threading.local):
    on_loop = False
    until = math.inf
    values: float = math.inf


_current = _Allowance()


@contextmanager
def of_loop() -> Generator[None]:
    """Let the block hold the event loop up for a moment only: a longer one is stopped by `LongWork`."""
    _current.on_loop = True
    try:
        yield
    finally:
        _current.on_loop = False


@contextmanager
def of(values: float, seconds: float = math.inf) -> Generator[None]:
    """Let the block cost so many values and take so many seconds: a longer one is stopped by `LongWork`."""
    before = _current.values, _current.until
    _current.values, _current.until = values, time.monotonic() + seconds
    try:
        yield
    finally:
        _current.values, _current.until = before


def spend(values: int) -> None:
    """Say that work of so many values begins.

    Raises:
        LongWork: when that is more than is left, or the time is over.
    """
    _current.values -= values
    if _current.values < 0 or time.monotonic() >= _current.until:
        raise LongWork


def read_bytes(size: int) -> None:
    """Say that documents of so many bytes have been read for one answer.

    Raises:
        LongWork: when that is more than the event loop should turn into one.
    """
    if _current.on_loop and size > SHORT_BYTES:
        raise LongWork


def is_spent() -> bool:
    """Tell whether a statement that has run for `STEPS` must stop."""
    return _current.on_loop or time.monotonic() >= _current.until


def values_in(document: str) -> int:
    """Return how many values a JSON text has, or a few more."""
    return 1 + document.count(",") + document.count("[") + document.count("{")


def weight_of(body: bytes) -> int:
    """Return what it costs, in values, to read a JSON body."""
    return body.count(b",") + body.count(b"[") + body.count(b"{") + len(body) // BYTES_OF_VALUE
