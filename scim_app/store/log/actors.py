"""Who acts, in words: the log keeps ids where names change, and people read and type names."""

from collections.abc import Iterable

import sqlalchemy as sa

from scim_app.directory.names import fold
from scim_app.store.db.settings_tables import api_keys
from scim_app.store.db.tables import tokens, users

KEY = "key "
"""Before the id of an API key in the log."""

_LABEL = sa.func.coalesce(users.c.display_name, users.c.user_name)


def names(connection: sa.Connection, org_id: str, actors: Iterable[str]) -> dict[str, str]:
    """Return what people call those actors of the log that are users, tokens or keys, by actor."""
    asked = set(actors)
    keys = [one.removeprefix(KEY) for one in asked if one.startswith(KEY)]
    people = sa.select(users.c.id, _LABEL).where(users.c.org_id == org_id, users.c.id.in_(asked))
    of_tokens = sa.select(tokens.c.id, tokens.c.description).where(tokens.c.org_id == org_id, tokens.c.id.in_(asked))
    of_keys = sa.select(api_keys.c.id, api_keys.c.description).where(
        api_keys.c.org_id == org_id, api_keys.c.id.in_(keys)
    )
    found = {key: str(name) for key, name in connection.execute(people)}
    found |= {key: f"token {name or key}" for key, name in connection.execute(of_tokens)}
    return found | {KEY + key: f"API key {name or key}" for key, name in connection.execute(of_keys)}


def principals(connection: sa.Connection, org_id: str, actors: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the id of each actor and what people call it; older entries have a user's name where the id is now."""
    asked = set(actors)
    query = sa.select(users.c.id, users.c.user_name).where(
        users.c.org_id == org_id, users.c.name_key.in_({fold(one) for one in asked}), users.c.deleted_at.is_(None)
    )
    ids = {name: key for key, name in connection.execute(query) if name in asked}
    called = names(connection, org_id, {ids.get(one, one) for one in asked})
    return {one: (ids.get(one, one), called.get(ids.get(one, one), one)) for one in asked}


def meant(connection: sa.Connection, org_id: str, text: str) -> list[str]:
    """Return the actors of the log that a text means: itself, and those whose name it is."""
    name = text.removeprefix("token ").removeprefix("API key ")
    called = (users.c.name_key == fold(name)) | (users.c.display_name == name)
    people = sa.select(users.c.id).where(users.c.org_id == org_id, called)
    of_tokens = sa.select(tokens.c.id).where(tokens.c.org_id == org_id, tokens.c.description == name)
    of_keys = sa.select(KEY + api_keys.c.id).where(api_keys.c.org_id == org_id, api_keys.c.description == name)
    return [text, *connection.execute(sa.union_all(people, of_tokens, of_keys)).scalars()]
