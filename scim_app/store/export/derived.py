"""What is stored only to make reading quick: counts, an index and columns. All of it follows from other rows.

An older version of the application that still writes after a migration does not keep what the migration brought. So
each can be compared with the rows that it follows from, and computed again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.kinds import KINDS, TEAM, USER, Kind
from scim_app.store.db.tables import TABLES, is_live, list_blocks, team_members, team_sizes, user_emails, users
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import emails, resources
from scim_app.store.search.ranks import BLOCK

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """One kind of derived data."""

    name: str
    """What it is, in words that complete "… of 3 teams"."""
    subject: str
    """What its wrong rows are counted in: `user`, `team` or `block`."""
    wrong: Callable[[sa.Connection, str], list[Row]]
    """Returns the rows of an organization as they should be, each with its key first, where they are not so."""
    mend: Callable[[Unit, list[Row]], None]
    """Stores such rows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Derived data that does not follow from its rows: what, and the ids of the users, teams or blocks."""

    name: str
    subject: str
    ids: list[str]

    def __str__(self) -> str:
        few = ", ".join(self.ids[:5]) + (", …" if len(self.ids) > 5 else "")
        count = f"{len(self.ids)} {self.subject}{'' if len(self.ids) == 1 else 's'}"
        return f"{self.name} of {count} ({few})"


def differences(connection: sa.Connection, org_id: str) -> list[Difference]:
    """Return what of an organization's derived data does not follow from the rows that it is made of."""
    compared = ((derived, derived.wrong(connection, org_id)) for derived in DERIVED)
    return [_difference(derived, rows) for derived, rows in compared if rows]


def repair(unit: Unit) -> list[Difference]:
    """Compute an organization's derived data again where it is wrong, and return what was wrong."""
    repaired: list[Difference] = []
    for derived in DERIVED:
        if rows := derived.wrong(unit.connection, unit.org_id):
            derived.mend(unit, rows)
            repaired.append(_difference(derived, rows))
    return repaired


def miscounted_teams(connection: sa.Connection, org_id: str) -> list[Row]:
    """Return the teams whose stored counts are wrong, with the right ones: `team_id`, `members`, `others`."""
    user = sa.exists().where(users.c.org_id == org_id, users.c["id"] == team_members.c.member_id, is_live(users))
    others = sa.func.sum(sa.case((user, 0), else_=1))
    right = (
        sa.select(team_members.c.team_id, sa.func.count().label("members"), others.label("others"))
        .where(team_members.c.org_id == org_id)
        .group_by(team_members.c.team_id)
        .cte("counted")
    )
    stored = sa.select(team_sizes).where(team_sizes.c.org_id == org_id).cte("stored")
    return _unequal(connection, right, stored, ("team_id",), ("members", "others"))


def _store_sizes(unit: Unit, rows: list[Row]) -> None:
    _replace(unit, team_sizes, ("team_id", "members", "others"), rows)
    resources.touch(unit, TEAM, [row[0] for row in rows])  # what is shown of their members may change


def _miscounted_blocks(connection: sa.Connection, org_id: str) -> list[Row]:
    wrong: list[Row] = []
    for kind in KINDS.values():
        c = TABLES[kind.name].c
        block = (c.position // BLOCK).label("block")
        right = sa.select(block, sa.func.count().label("live")).where(c.org_id == org_id, c.deleted_at.is_(None))
        stored = sa.select(list_blocks).where(list_blocks.c.org_id == org_id, list_blocks.c.kind == kind.name)
        rows = _unequal(connection, right.group_by(block).cte("counted"), stored.cte("stored"), ("block",), ("live",))
        wrong += [(block, kind.name, live) for block, live in rows]
    return wrong


def _store_blocks(unit: Unit, rows: list[Row]) -> None:
    _replace(unit, list_blocks, ("block", "kind", "live"), rows, keys=2)


def _missing_addresses(connection: sa.Connection, org_id: str) -> list[Row]:
    """Return the users of whom the index of addresses lacks one, with it: rows beyond those can't make it wrong."""
    query = sa.select(user_emails.c.user_id, user_emails.c.email).where(user_emails.c.org_id == org_id)
    indexed = {tuple(row) for row in connection.execute(query)}
    return [
        (row["id"], email)
        for row in _live(connection, org_id, USER)
        for email in sorted(emails.kept(orjson.loads(row["document"])))
        if (row["id"], email) not in indexed
    ]


def _index_addresses(unit: Unit, rows: list[Row]) -> None:
    values = [{"org_id": unit.org_id, "user_id": user_id, "email": email} for user_id, email in rows]
    unit.connection.execute(sa.insert(user_emails), values)


def _wrong_columns(kind: Kind) -> Callable[[sa.Connection, str], list[Row]]:
    def wrong(connection: sa.Connection, org_id: str) -> list[Row]:
        rows = ((row, resources.projection(kind, row["document"])) for row in _live(connection, org_id, kind))
        return [(row["id"], right) for row, right in rows if any(row[name] != right[name] for name in right)]

    return wrong


def _store_columns(kind: Kind) -> Callable[[Unit, list[Row]], None]:
    def mend(unit: Unit, rows: list[Row]) -> None:
        table = TABLES[kind.name]
        for resource_id, right in rows:
            this = (table.c.org_id == unit.org_id) & (table.c.id == resource_id)
            unit.connection.execute(sa.update(table).where(this).values(right))

    return mend


DERIVED = (
    Derived("the member count", "team", miscounted_teams, _store_sizes),
    Derived("the count of the list", "block", _miscounted_blocks, _store_blocks),
    Derived("the index of e-mail addresses", "user", _missing_addresses, _index_addresses),
    *(Derived("the columns", kind.name, _wrong_columns(kind), _store_columns(kind)) for kind in KINDS.values()),
)


def _difference(derived: Derived, rows: list[Row]) -> Difference:
    return Difference(derived.name, derived.subject, sorted({str(row[0]) for row in rows}))


def _live(connection: sa.Connection, org_id: str, kind: Kind) -> Iterator[Any]:
    table = TABLES[kind.name]
    query = sa.select(table).where(table.c.org_id == org_id, table.c.deleted_at.is_(None))
    yield from connection.execute(query.execution_options(yield_per=1000)).mappings()


def _unequal(
    connection: sa.Connection, right: sa.CTE, stored: sa.CTE, key: tuple[str, ...], counts: tuple[str, ...]
) -> list[Row]:
    """Return the right rows that are stored otherwise; with counts of 0 those that should not be stored."""
    equal = sa.and_(*(right.c[name] == stored.c[name] for name in key))
    both = right.join(stored, equal, full=True)
    keys = [sa.func.coalesce(right.c[name], stored.c[name]) for name in key]
    count = {name: sa.func.coalesce(right.c[name], 0) for name in counts}
    query = sa.select(*keys, *count.values()).select_from(both)
    differ = sa.or_(*(count[name] != sa.func.coalesce(stored.c[name], 0) for name in counts))
    return [tuple(row) for row in connection.execute(query.where(differ).order_by(*keys))]


def _replace(unit: Unit, table: sa.Table, names: tuple[str, ...], rows: list[Row], *, keys: int = 1) -> None:
    """Store rows whose first `keys` columns say which they are."""
    for row in rows:
        values = dict(zip(names, row, strict=True))
        this = sa.and_(table.c.org_id == unit.org_id, *(table.c[name] == values[name] for name in names[:keys]))
        unit.connection.execute(sa.delete(table).where(this))
    unit.connection.execute(
        sa.insert(table), [{"org_id": unit.org_id, **dict(zip(names, row, strict=True))} for row in rows]
    )
