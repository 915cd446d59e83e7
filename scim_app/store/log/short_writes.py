"""Short writes of a file, run where they were asked for: on the event loop, and only COMMIT in a thread.

A thread that runs a dozen small statements loses the interpreter's lock at each and waits to get it back, which takes
as long as the statements. This is a short cut and no more: whatever is in its way, the writer's thread does the write.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.store.db import allowance
from scim_app.store.log.writer import Job, Outcome, Work, Writer, end_group, run_group

MOST = 16
"""Most writes that run before the loop does something else; each takes about a third of a millisecond."""


@dataclass(frozen=True, slots=True)
class _Asked:
    work: Work
    key: str
    future: "asyncio.Future[Any]"


class ShortWrites:
    """The short writes of one event loop, which share commits. They ask for the turn to write but never wait for it."""

    def __init__(self, engine: sa.Engine, writer: Writer, disk: ThreadPoolExecutor) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine = engine
        self._writer = writer
        self._disk = disk
        self._waiting: list[_Asked] = []
        self._running = False

    def add(self, work: Work, key: str) -> "asyncio.Future[Any]":
        """Queue a write; the future gives its result once it is durable, or the error that undid it."""
        asked = _Asked(work, key, self._loop.create_future())
        self._waiting.append(asked)
        if not self._running:
            self._running = True
            self._loop.call_soon(self._next)  # behind those that are about to ask, too
        return asked.future

    def _next(self) -> None:
        """Run the next group, if there is one; the one after it begins when this one is durable."""
        group = [asked for asked in self._waiting[:MOST] if not asked.future.done()]  # others are waited for no more
        del self._waiting[:MOST]
        if group and self._run(group):
            return
        for asked in group:
            self._hand_over(asked)
        self._running = bool(self._waiting)
        if self._running:
            self._loop.call_soon(self._next)

    def _run(self, group: list[_Asked]) -> bool:
        """Run writes up to their COMMIT, which a thread does; false when nothing of it happened."""
        if not self._writer.turn.take_if_free():
            return False
        connection = None
        try:
            connection = self._engine.connect()
            connection.begin()
            with allowance.of_loop():
                outcomes = run_group(connection, [asked.work for asked in group])
        except Exception:  # whatever it is, the thread meets it too and tells it
            if connection is not None:
                connection.close()
            self._writer.turn.give_back()
            return False
        self._disk.submit(self._commit, connection, group, outcomes)
        return True

    def _commit(self, connection: sa.Connection, group: list[_Asked], outcomes: list[Outcome]) -> None:
        try:
            end_group(connection, outcomes)
            self._writer.count(outcomes)
        except Exception as error:  # whatever it is, those who wait are told
            outcomes = self._writer.refuse([asked.work for asked in group], error)
        finally:
            connection.close()
            self._writer.turn.give_back()
        self._loop.call_soon_threadsafe(self._finish, group, outcomes)

    def _finish(self, group: list[_Asked], outcomes: list[Outcome]) -> None:
        for asked, outcome in zip(group, outcomes, strict=True):
            outcome.give(asked.future)
        self._next()

    def _hand_over(self, asked: _Asked) -> None:
        job = Job(asked.work, asked.key)
        job.future.add_done_callback(lambda done: self._loop.call_soon_threadsafe(Outcome.of(done).give, asked.future))
        self._writer.submit(job)
