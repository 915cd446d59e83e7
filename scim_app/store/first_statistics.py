"""What PostgreSQL's planner is told of tables that are empty yet.

Without statistics it takes every index that begins with the organization for as good as any other, and a plan that is
kept from the first request reads the whole organization in each look-up of a first sync, until autovacuum has come
round. So the tables are analysed once while they hold rows of the shape that is to come, which nobody ever sees.
"""

from typing import Any

import sqlalchemy as sa

from scim_app.store.tables import list_blocks, team_members, teams, user_emails, users

_ROWS = 200
_SAMPLE = "sample"
_ONE_ORGANIZATION = 'ALTER TABLE "{}" ALTER COLUMN org_id SET (n_distinct = 1)'
"""Whichever it is, all rows are its own: a sample of one would tell the planner that it is that one."""
_AS_FOUND = 'ALTER TABLE "{}" ALTER COLUMN org_id RESET (n_distinct)'
_REPEATED: dict[sa.Column[Any], int] = {team_members.c.team_id: 8, team_members.c.member_id: 50}
"""How many values a column has where it has not another one in each row."""
_CHARACTERS = {"document": 700, "folded": 700}
"""How long values are that are not short."""
_TABLES = (users, teams, user_emails, team_members)


def give(connection: sa.Connection) -> None:
    """Give tables that nobody has analysed statistics to plan by; all of it is one transaction that leaves no row."""
    for table in _TABLES:
        if _is_known(connection, table):
            continue
        connection.execute(sa.insert(table), [_row(table, number) for number in range(_ROWS)])
        for statement in (_ONE_ORGANIZATION, 'ANALYZE "{}"', _AS_FOUND):
            connection.exec_driver_sql(statement.format(table.name))
        for written in (table, list_blocks):  # a trigger counts rows there
            connection.execute(sa.delete(written).where(written.c.org_id.startswith(_SAMPLE)))


def _is_known(connection: sa.Connection, table: sa.Table) -> bool:
    # pg_stats would be shorter to ask, but shows an owner nothing of tables with row-level security.
    known = sa.text("SELECT reltuples > 0 FROM pg_class WHERE oid = CAST(:name AS regclass)")
    return connection.execute(known, {"name": table.name}).scalar_one()


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.c if column.name != "deleted_at"}


def _value(column: sa.Column[Any], number: int) -> Any:
    if column.name == "org_id":
        return f"{_SAMPLE} {number}"
    if isinstance(column.type, sa.Boolean):
        return True
    number %= _REPEATED.get(column, _ROWS)
    if isinstance(column.type, sa.Integer):
        return number
    return f"{column.name} {number}".ljust(_CHARACTERS.get(column.name, 0), "x")
