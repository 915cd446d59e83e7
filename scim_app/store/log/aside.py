"""Work beside the event loop: in a few threads, of which no organization takes more than half."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TypeVar
from weakref import WeakValueDictionary

from scim_app.store.db import allowance

T = TypeVar("T")


class Aside:
    """The threads, and who waits for them.

    Args:
        threads: how many there are.
    """

    def __init__(self, threads: int) -> None:
        self._share = threads // 2
        self._threads = ThreadPoolExecutor(threads, "store-reader")
        self._shares: WeakValueDictionary[tuple[int, str], asyncio.Semaphore] = WeakValueDictionary()

    def close(self) -> None:
        """Finish what runs and end the threads."""
        self._threads.shutdown()

    async def run(self, work: Callable[[], T], key: str = "") -> T:
        """Return what work returns, within the allowance of a read.

        Args:
            work: what is done.
            key: whose work it is: it waits while that one has half of the threads. Empty for work that nobody need
                wait for, since each takes a moment.

        Raises:
            LongWork: when it takes longer, or costs more.
        """
        loop = asyncio.get_running_loop()
        share = self._shares.setdefault((id(loop), key), asyncio.Semaphore(self._share)) if key else nullcontext()
        async with share:
            return await loop.run_in_executor(self._threads, _within, work)


def _within(work: Callable[[], T]) -> T:
    with allowance.of(allowance.MOST_VALUES, allowance.READ_SECONDS):
        return work()
