"""From pages to rows: commands list everything that there is."""

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
C = TypeVar("C")


def walk(page: Callable[[C | None], tuple[list[T], C | None]]) -> Iterator[T]:
    """Yield the rows of all pages, each asked for when it is needed."""
    rows, after = page(None)
    yield from rows
    while after is not None:
        rows, after = page(after)
        yield from rows
