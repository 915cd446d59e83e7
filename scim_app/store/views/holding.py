"""Who holds grants: holders by the names that people type, and all grants page by page."""

import sqlalchemy as sa

from scim_app.directory.names import fold
from scim_app.directory.roles import Grant
from scim_app.errors import NotFound
from scim_app.store.access import grants
from scim_app.store.db.settings_tables import grants as grants_table
from scim_app.store.db.tables import TABLES, teams, users

PAGE = 50
_NAMES = {
    "user": sa.func.coalesce(users.c.display_name, users.c.user_name),
    "team": teams.c.display_name,
}


def key_of(grant: Grant) -> str:
    """Return the holder of a grant as one text, which `holder` reads."""
    return f"{grant.holder_kind}:{grant.holder_id}"


def holder(connection: sa.Connection, org_id: str, key: str, name: str) -> tuple[str, str, str]:
    """Return kind, id and name of a holder: by its key where there is one, else by the name that a person typed.

    Raises:
        NotFound: when there is no such user or team.
    """
    kind, _, holder_id = key.partition(":")
    kinds = [kind] if kind in TABLES else ["team", "user"]
    for one in kinds:
        table = TABLES[one]
        match = table.c.id == holder_id if key else table.c.name_key == fold(name)
        where = (table.c.org_id == org_id) & table.c.deleted_at.is_(None) & match
        row = connection.execute(sa.select(table.c.id, _NAMES[one]).where(where)).first()
        if row is not None:
            return one, row[0], row[1]
    raise NotFound(f"there is no team and no user {name or holder_id!r}")


def suggestions(connection: sa.Connection, org_id: str, limit: int = 100) -> list[str]:
    """Return names of teams to choose from, at most `limit`."""
    query = sa.select(teams.c.display_name).where(teams.c.org_id == org_id, teams.c.deleted_at.is_(None))
    return list(connection.execute(query.order_by(teams.c.search_key).limit(limit)).scalars())


def page(connection: sa.Connection, org_id: str, before: str) -> tuple[list[tuple[Grant, str]], int, str]:
    """Return a page of live grants with their holders' names, the newest first, how many there are in all,
    and what the next page begins before, empty on the last.

    Args:
        connection: where to read.
        org_id: whose grants.
        before: what the page before gave, empty for the first.
    """
    live = (grants_table.c.org_id == org_id) & grants_table.c.revoked_at.is_(None)
    total: int = connection.execute(sa.select(sa.func.count()).where(live)).scalar_one()
    query = sa.select(grants_table.c.id).where(live).order_by(grants_table.c.id.desc()).limit(PAGE + 1)
    ids = list(connection.execute(query.where(grants_table.c.id < before) if before else query).scalars())
    found = grants.find(connection, org_id, grants_table.c.id.in_(ids[:PAGE]))
    names = _names_of(connection, org_id, found)
    shown = [(grant, names.get(grant.holder_id, grant.holder_id)) for grant in reversed(found)]
    return shown, total, ids[PAGE - 1] if len(ids) > PAGE else ""


def _names_of(connection: sa.Connection, org_id: str, found: list[Grant]) -> dict[str, str]:
    names: dict[str, str] = {}
    for kind, table in TABLES.items():
        ids = [grant.holder_id for grant in found if grant.holder_kind == kind]
        query = sa.select(table.c.id, _NAMES[kind]).where(table.c.org_id == org_id, table.c.id.in_(ids))
        names |= {row[0]: row[1] for row in connection.execute(query)}
    return names
