"""In which order a bulk request runs, and what its `bulkId:` references stand for (RFC 7644 §3.7.2); pure."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from scim2_models import ConflictException
from scim2_server.bulk import BULK_ID_PREFIX, replace_bulk_ids

Json = dict[str, Any]

_PREFIX = BULK_ID_PREFIX.encode()


def creations(operations: Sequence[Json]) -> dict[str, int]:
    """Return the place of the creation that each `bulkId` names: the first that uses it."""
    found: dict[str, int] = {}
    for index, one in enumerate(operations):
        if one.get("method") == "POST" and isinstance(one.get("bulkid"), str):
            found.setdefault(one["bulkid"], index)
    return found


def may_refer(asked: Json | Sequence[Json]) -> bool:
    """Tell whether there can be a `bulkId:` reference, which takes a tenth of looking into every value."""
    return _PREFIX in orjson.dumps(asked)


def substituted(operation: Json, id_of: Callable[[str], str]) -> Json:
    """Return an operation whose path and data have ids in place of `bulkId:` references."""
    if not may_refer(operation):
        return operation
    path = operation.get("path")
    if isinstance(path, str):
        path = "/".join(replace_bulk_ids(segment, id_of) for segment in path.split("/"))
    return {**operation, "path": path, "data": replace_bulk_ids(operation.get("data"), id_of)}


def references(operation: Json) -> list[str]:
    """Return the `bulkId`s that an operation refers to."""
    found: list[str] = []

    def note(bulk_id: str) -> str:
        found.append(bulk_id)
        return bulk_id

    substituted(operation, note)
    return found


def in_order(operations: Sequence[Json]) -> list[int]:
    """Return the places of the operations in the order to run them.

    It is the order of the request, but a creation comes before the first operation that refers to it.
    In a circle of references one of them has to come first.
    """
    if not may_refer(operations):
        return list(range(len(operations)))
    made = creations(operations)
    order: list[int] = []
    done: set[int] = set()
    waiting: set[int] = set()
    stack = list(reversed(range(len(operations))))
    while stack:
        index = stack.pop()
        if index in done:
            continue
        needed = [] if index in waiting else [made[key] for key in references(operations[index]) if key in made]
        waiting.add(index)
        if before := [one for one in needed if one not in done and one not in waiting]:
            stack += [index, *reversed(before)]
        else:
            done.add(index)
            order.append(index)
    return order


class Ids:
    """The ids behind `bulkId`s while a bulk request runs.

    A creation that is referred to before it ran (a circle) is promised an id, where promises are allowed.
    """

    def __init__(self, operations: Sequence[Json], new_id: Callable[[], str] | None) -> None:
        self._made = creations(operations)
        self._new_id = new_id
        self._created: dict[str, str] = {}
        self._failed: set[str] = set()
        self.promised: dict[str, str] = {}

    def of(self, bulk_id: str) -> str:
        """Return the id that a reference stands for.

        Raises:
            ConflictException: when no resource was created, or the references go round in a circle.
        """
        if bulk_id in self._created:
            return self._created[bulk_id]
        if bulk_id not in self._made or bulk_id in self._failed:
            raise ConflictException(detail=f"no resource was created with the bulkId {bulk_id!r}")
        if self._new_id is None:
            raise ConflictException(
                detail=f"the bulkId {bulk_id!r} is part of a circle of references that can't be made whole"
            )
        return self.promised.setdefault(bulk_id, self._new_id())

    def names(self, bulk_id: str | None, index: int) -> bool:
        """Tell whether a `bulkId` names the creation at a place, and not an earlier one."""
        return bulk_id is not None and self._made.get(bulk_id) == index

    def settle(self, bulk_id: str | None, index: int, resource_id: str | None) -> None:
        """Remember what the operation at a place created, None when it failed."""
        if bulk_id is None or not self.names(bulk_id, index):
            return
        if resource_id is None:
            self._failed.add(bulk_id)
        else:
            self._created[bulk_id] = resource_id

    @contextmanager
    def attempt(self) -> Generator[None]:
        """Make the block's creations and promises unknown again when an error leaves it."""
        before = self._created.copy(), self._failed.copy(), self.promised.copy()
        try:
            yield
        except BaseException:
            self._created, self._failed, self.promised = before
            raise

    @property
    def kept(self) -> bool:
        """Whether every promised id is the id of what was created."""
        return all(self._created.get(bulk_id) == held for bulk_id, held in self.promised.items())
