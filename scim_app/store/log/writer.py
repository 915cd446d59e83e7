"""The writer: one thread that runs the writes which wait together in one transaction, so that they share a commit."""

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

from scim_app.errors import StoreUnavailable, Unstorable
from scim_app.store.db.postgres import is_conflict
from scim_app.store.db.prepared import savepoint
from scim_app.store.log.event_log import InUnit, Unit

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

    @classmethod
    def of(cls, done: "Future[Any]") -> "Outcome":
        """Return what a finished write has in its future."""
        problem = done.exception()
        return cls(None if problem else done.result(), problem)

    def give(self, future: "Future[Any] | asyncio.Future[Any]") -> None:
        """Hand it to whoever still waits for it."""
        if future.cancelled():
            return
        if self.problem is None:
            future.set_result(self.result)
        else:
            future.set_exception(self.problem)


class Turn:
    """Whose turn it is to write in this process: the thread may wait for it, the event loop may not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = False

    @contextmanager
    def taken(self) -> Generator[None]:
        """Wait for the turn and keep it for the block."""
        self._wanted = True
        with self._lock:
            self._wanted = False
            yield

    def take_if_free(self) -> bool:
        """Take the turn where nobody has it or waits for it."""
        return not self._wanted and self._lock.acquire(blocking=False)

    def give_back(self) -> None:
        """Let others write; any thread may say so."""
        self._lock.release()


class Writer:
    """Runs writes one after the other in a thread of its own and gives results out only after COMMIT.

    Writes that wait at the same time share one transaction; a failing one undoes itself alone.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.turn = Turn()
        self.commits = 0
        self.writes = 0
        self.failure = ""
        """Why the last write failed for the database's sake, until a write of `Readiness` succeeds."""
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

    def count(self, outcomes: list[Outcome]) -> None:
        """Count a group that has been ended."""
        self.commits, self.writes = self.commits + 1, self.writes + len(outcomes)

    def refuse(self, works: list[Work], error: Exception) -> list[Outcome]:
        """Return that none of the writes was done, because of the database, and remember it."""
        if not (isinstance(error, DBAPIError) and is_conflict(error)):
            self.failure = type(error).__name__
        unavailable = StoreUnavailable("the store can't be written now; nothing was changed, try again")
        unavailable.__cause__ = error
        return [Outcome(problem=unavailable) for _ in works]

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            found, ending = self._gather(first)
            # A write that nobody waits for any more, before it began, is not done: nobody was told that it is.
            jobs = [job for job in found if job.future.set_running_or_notify_cancel()]
            for job, outcome in zip(jobs, self._outcomes([job.work for job in jobs]), strict=True):
                outcome.give(job.future)
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

    def _outcomes(self, works: list[Work]) -> list[Outcome]:
        """Run a group until it is durable, or until it is plain that it can't be now."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._commit(works)
            except _Undone as undone:
                if attempt == ATTEMPTS:
                    return self.refuse(works, undone.error)
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
            except Exception as error:  # whatever it is, those who wait are told, and the thread goes on
                return self.refuse(works, error)
        raise AssertionError("a group ends within its attempts")

    def _commit(self, works: list[Work]) -> list[Outcome]:
        """Run a group in one transaction; raises `_Undone` when nothing of it happened and it may run again."""
        try:
            with self.turn.taken(), self._engine.connect() as connection:
                connection.begin()
                try:
                    outcomes = run_group(connection, works)
                except DBAPIError as error:
                    connection.rollback()
                    if is_conflict(error) or error.connection_invalidated:
                        raise _Undone(error) from error
                    raise
                # When the connection breaks in the middle of COMMIT nobody knows what came of it: no second try.
                end_group(connection, outcomes)
                self.count(outcomes)
                return outcomes
        except StoreUnavailable as error:
            return [Outcome(problem=error) for _ in works]


class _Undone(Exception):
    def __init__(self, error: DBAPIError) -> None:
        super().__init__()
        self.error = error


def _key(job: Job) -> str:
    return job.key


def run_group(connection: sa.Connection, works: list[Work]) -> list[Outcome]:
    """Run writes in the transaction that was begun for them, so that a failing one undoes itself alone.

    Nearly always none fails: they run in a row at first. Only where one has failed the transaction is begun anew, and
    each has a savepoint of its own.

    Raises:
        OperationalError, InterfaceError: when the database can't go on; the whole group is undone then.
    """
    if len(works) == 1:
        return [_outcome(works[0], connection, nullcontext())]
    try:
        return _in_a_row(connection, works)
    except (OperationalError, InterfaceError):
        raise  # locked, full or gone: the whole group is undone
    except Exception:
        connection.rollback()
        connection.begin()
        return [_outcome(work, connection, savepoint(connection)) for work in works]


def _in_a_row(connection: sa.Connection, works: list[Work]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    unit: Unit | None = None
    for work in works:
        if isinstance(work, InUnit):
            result, unit = work.follow(connection, unit)
        else:
            result, unit = work(connection), None
        outcomes.append(Outcome(result))
    return outcomes


def end_group(connection: sa.Connection, outcomes: list[Outcome]) -> None:
    """Make a group durable, or undo it where it was one write that failed."""
    if len(outcomes) == 1 and outcomes[0].problem is not None:
        connection.rollback()
    else:
        connection.commit()


def _outcome(work: Work, connection: sa.Connection, within: AbstractContextManager[Any]) -> Outcome:
    try:
        with within:
            return Outcome(work(connection))
    except (OperationalError, InterfaceError):
        raise
    except DataError as problem:
        return Outcome(problem=Unstorable.because(problem))
    except Exception as problem:
        return Outcome(problem=problem)
