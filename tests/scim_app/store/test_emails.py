"""People are found by e-mail address through an index, and the index follows every write."""

import asyncio
import random
from pathlib import Path
from typing import Any

import make
import pytest
import sqlalchemy as sa
from alembic import command
from asgi import Client
from scim2_models.path import ScimFilter

from scim_app.app import create_app
from scim_app.directory.events import EventType
from scim_app.directory.kinds import USER
from scim_app.store.db import migrate
from scim_app.store.db.engines import open_owner
from scim_app.store.db.tables import user_emails, users
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import emails, resources
from scim_app.store.search.plans import Part, Plan, Shape
from scim_app.store.search.terms import Values, read_terms

ADDRESSES = [
    "ada@example.com",
    "ADA@example.com",
    "bob@example.com",
    "Straße@example.com",
    "x" * 300,
    "a" * 200 + "b",
    "",
]


FILTERS = [
    *('emails[type eq "work"].value eq "b@x"', 'emails eq "b@x"', 'active eq true and emails.value eq "b@x"'),
]


def _rows(connection: sa.Connection) -> set[tuple[str, str]]:
    return {(row.email, row.user_id) for row in connection.execute(sa.select(user_emails))}


def _followed(connection: sa.Connection) -> set[tuple[str, str]]:
    """What the rows are by the documents."""
    documents = connection.execute(sa.select(users.c.document)).scalars()
    whole = [USER.model.model_validate_json(one).model_dump() for one in documents]
    return {(email, one["id"]) for one in whole for email in emails.kept(one)}


async def _churn(client: Client) -> None:
    """Create, replace, patch, rename and remove users by chance."""
    chance, ids = random.Random(3), list[str]()
    for number in range(120):
        chosen = [{"value": value} for value in chance.sample(ADDRESSES, chance.randrange(3))]
        name = chance.choice([f"n{number}"] * 6 + ADDRESSES[:3])
        patched = [
            {"op": "replace", "path": "emails", "value": chosen},
            {"op": "replace", "path": "userName", "value": name},
        ]
        match chance.randrange(5) if ids else 0:
            case 0 | 1:
                made = await client("POST", "/Users", make.user(name, emails=chosen))
                ids += [made.json()["id"]] if made.status == 201 else []
            case 2:
                await client("PUT", f"/Users/{chance.choice(ids)}", make.user(name, emails=chosen))
            case 3:
                await client("PATCH", f"/Users/{chance.choice(ids)}", make.patch(chance.choice(patched)))
            case _:
                await client("DELETE", f"/Users/{ids.pop(chance.randrange(len(ids)))}")


def test_the_index_follows_every_write_and_a_migration_makes_the_same(folder: Path) -> None:
    settings = make.settings(folder)
    organization = make.organization(settings)
    asyncio.run(_churn(Client(create_app(settings), organization)))
    engine = open_owner(settings.store_url)
    with engine.begin() as connection:
        rows = _rows(connection)
        assert len(rows) > 20
        assert rows == _followed(connection)
        config = migrate.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0009")
    migrate.upgrade(settings.store_url)
    with engine.begin() as connection:
        assert _rows(connection) == rows
    engine.dispose()


def _provision(unit: Unit, people: list[Any]) -> list[str]:
    return resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim")


def _explained(connection: sa.Connection, query: sa.Select[Any], **values: Any) -> str:
    prefix = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
    held = compiled.construct_params(values)
    given = tuple(held[name] for name in compiled.positiontup or ()) if compiled.positional else held
    found = connection.exec_driver_sql(f"{prefix} {compiled}", given)
    return "\n".join(" ".join(map(str, row)) for row in found)


@pytest.mark.rfc("filter")
def test_a_look_up_by_address_reads_no_other_documents(folder: Path) -> None:
    organization = make.organization(make.settings(folder))
    people = [make.user(f"u{number}", emails=[{"value": f"e{number}@example.com"}]) for number in range(2_000)]
    store = Store(organization.settings.store_url)
    store.write(lambda db: _provision(Unit.begin(db, organization.id, make.ACTOR), people))
    store.close()
    engine = open_owner(organization.settings.store_url)
    with engine.begin() as connection:
        name = connection.dialect.name
        if name == "postgresql":
            connection.exec_driver_sql("ANALYZE")
        values = {"org": organization.id, "email": "b@x", "start": "b@x", "most": 200}
        plans = [_explained(connection, emails.finding(name), **values)]
        for text in FILTERS:
            terms: Values = emails.values("b@x")
            part = Part(USER, read_terms(USER, ScimFilter[USER.model](text), terms), by_email=True)
            page = Plan(Shape((part,))).page.build(name)
            plans.append(_explained(connection, page, **(values | terms), skipped=0))
    engine.dispose()
    for plan in plans:
        assert "pk_user_emails" in plan or "SEARCH user_emails USING PRIMARY KEY" in plan, plan
        assert "ux_users_name" in plan, plan
        assert "pk_users" in plan or "sqlite_autoindex_users_1 (org_id=? AND id=?)" in plan, plan
        assert "ux_users_position" not in plan, plan
        assert "Seq Scan" not in plan, plan
