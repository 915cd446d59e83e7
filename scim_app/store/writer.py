"""The writer: one thread that runs the writes which wait together in one transaction, so that they share a commit."""

import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from scim_app.errors import StoreUnavailable, Unstorable
from scim_app.store.postgres import is_conflict
from scim_app.store.prepared import savepoint

Work = Callable[[sa.Connection], Any]

GROUP_LIMIT = 64
"""Most writes that share one commit."""

ATTEMPTS = 4
"""How often a group is tried that other transactions get in the way of."""


@dataclass(frozen=True, slots=True)
class Job:
    """A write that waits, and where its result goes."""

    work: Work
    key: str
    """What the write locks: the organization. Groups lock in this order, so two workers never wait in a circle."""
    future: "Future[Any]" = field(default_factory=Future)


class Outcome(NamedTuple):
    """What came of a write: its result, or the problem that undid it."""

    result: Any = None
    problem: BaseException | None = None


class Writer:
    """Runs writes one after the other in a thread of its own and gives results out only after COMMIT.

    Writes that wait at the same time share one transaction, each in a savepoint: a failing one undoes itself alone.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.commits = 0
        self.writes = 0
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many writes wait."""
        return self._queue.qsize()

    def submit(self, job: Job) -> None:
        """Queue a write."""
        self._queue.put(job)

    def close(self) -> None:
        """Finish the writes that wait, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            found, ending = self._gather(first)
            # A write that nobody waits for any more, before it began, is not done: nobody was told that it is.
            jobs = [job for job in found if job.future.set_running_or_notify_cancel()]
            for job, outcome in zip(jobs, self._outcomes(jobs), strict=True):
                if outcome.problem is None:
                    job.future.set_result(outcome.result)
                else:
                    job.future.set_exception(outcome.problem)
            if ending:
                return

    def _gather(self, first: Job) -> tuple[list[Job], bool]:
        """Return the writes that wait, in the order they lock in, and whether the end was asked for."""
        found = [first]
        while len(found) < GROUP_LIMIT:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return sorted(found, key=_key), True
            found.append(job)
        return sorted(found, key=_key), False

    def _outcomes(self, jobs: list[Job]) -> list[Outcome]:
        """Run a group until it is durable, or until it is plain that it can't be now."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._commit(jobs)
            except _Undone as undone:
                if attempt == ATTEMPTS:
                    return _refused(jobs, undone.error)
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
            except SQLAlchemyError as error:  # whatever it is, those who wait are told, and the thread goes on
                return _refused(jobs, error)
        raise AssertionError("a group ends within its attempts")

    def _commit(self, jobs: list[Job]) -> list[Outcome]:
        """Run a group in one transaction; raises `_Undone` when nothing of it happened and it may run again."""
        try:
            with self._engine.connect() as connection:
                transaction = connection.begin()
                try:
                    outcomes = _run(connection, jobs)
                except DBAPIError as error:
                    transaction.rollback()
                    if is_conflict(error) or error.connection_invalidated:
                        raise _Undone(error) from error
                    raise
                if len(jobs) == 1 and outcomes[0].problem is not None:
                    transaction.rollback()
                    return outcomes
                # When the connection breaks in the middle of COMMIT nobody knows what came of it: no second try.
                transaction.commit()
                self.commits, self.writes = self.commits + 1, self.writes + len(jobs)
                return outcomes
        except StoreUnavailable as error:
            return [Outcome(problem=error) for _ in jobs]


class _Undone(Exception):
    def __init__(self, error: DBAPIError) -> None:
        super().__init__()
        self.error = error


def _key(job: Job) -> str:
    return job.key


def _refused(jobs: list[Job], error: SQLAlchemyError) -> list[Outcome]:
    unavailable = StoreUnavailable("the store can't be written now; nothing was changed, try again")
    unavailable.__cause__ = error
    return [Outcome(problem=unavailable) for _ in jobs]


def _run(connection: sa.Connection, jobs: list[Job]) -> list[Outcome]:
    """Run jobs; where there are several, each in a savepoint."""
    if len(jobs) == 1:
        return [_outcome(jobs[0].work, connection, nullcontext())]
    return [_outcome(job.work, connection, savepoint(connection)) for job in jobs]


def _outcome(work: Work, connection: sa.Connection, within: AbstractContextManager[Any]) -> Outcome:
    try:
        with within:
            return Outcome(work(connection))
    except (OperationalError, InterfaceError):
        raise  # locked, full or gone: the whole group is undone
    except DataError as problem:
        return Outcome(problem=Unstorable.because(problem))
    except Exception as problem:
        return Outcome(problem=problem)
