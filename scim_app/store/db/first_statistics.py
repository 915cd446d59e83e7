"""What PostgreSQL's planner is told of tables that are empty yet.

Without statistics it takes every index that begins with the organization for as good as any other, and a plan that is
kept from the first request reads the whole organization in each look-up of a first sync, until autovacuum has come
round. So the tables are analysed once while they hold rows of the shape that is to come, which nobody ever sees.
"""

from typing import Any

import sqlalchemy as sa

from scim_app.store.db.tables import list_blocks, team_members, teams, user_emails, users

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
    """Give tables that never held a row statistics to plan by; all of it is one transaction that leaves no row.

    They are truncated, not deleted from: autovacuum would come for two hundred dead rows within a minute, and write
    down that the tables are empty. What was truncated counts as never looked at, and its statistics stay.
    """
    for table in _TABLES:
        connection.exec_driver_sql(f'LOCK TABLE "{table.name}" IN ACCESS EXCLUSIVE MODE')
        if not _is_new(connection, table):
            continue
        connection.execute(sa.insert(table), [_row(table, number) for number in range(_ROWS)])
        for statement in (_ONE_ORGANIZATION, 'ANALYZE "{}"', _AS_FOUND):
            connection.exec_driver_sql(statement.format(table.name))
        with connection.begin_nested():  # where the table itself was made, its file would be emptied, not exchanged
            connection.exec_driver_sql(f'TRUNCATE "{table.name}"')
        # A trigger has counted the rows.
        connection.execute(sa.delete(list_blocks).where(list_blocks.c.org_id.startswith(_SAMPLE)))


def _is_new(connection: sa.Connection, table: sa.Table) -> bool:
    """Tell whether the table's file is empty: what is asked of the file, no policy on rows can hide."""
    size = sa.text("SELECT pg_relation_size(CAST(:name AS regclass)) = 0")
    return connection.execute(size, {"name": table.name}).scalar_one()


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
