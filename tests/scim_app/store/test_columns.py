"""The columns of a row say what its document says, whatever a change touches: people are found and listed by them."""

from pathlib import Path
from typing import Any

import make
import pytest
import sqlalchemy as sa

from scim_app.directory.kinds import TEAM, USER, Kind, search_key
from scim_app.directory.membership import MemberDelta
from scim_app.directory.names import fold
from scim_app.store.db.tables import TABLES
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

ADA = make.user("ada@example.com", displayName="Ada", externalId="00u1", emails=[{"value": "ada@example.com"}])
CHANGES: list[tuple[Kind, dict[str, Any], list[dict[str, Any]]]] = [
    (
        USER,
        ADA,
        [
            {"title": "Countess"},
            {"userName": "Lovelace@Example.com"},
            {"displayName": "Lady Lovelace"},
            {"emails": [{"value": "lovelace@example.com", "primary": True}]},
            {"externalId": "00u2"},
            {"active": False},
            {"displayName": None},
            {"emails": None, "externalId": None, "name": {"givenName": "Ada"}},
        ],
    ),
    (TEAM, make.group("Engines"), [{"displayName": "Analytical Engines"}, {"externalId": "g1"}, {"externalId": None}]),
]


@pytest.mark.parametrize(("kind", "document", "changes"), CHANGES, ids=["user", "team"])
def test_columns_follow_the_document_after_every_change(
    folder: Path, kind: Kind, document: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    organization = make.organization(make.settings(folder))
    store = Store(organization.settings.store_url)
    document = {name: value for name, value in document.items() if name != "members"}

    def written(resource_id: str | None) -> str:
        def work(db: sa.Connection) -> str:
            unit, delta = Unit.begin(db, organization.id, make.ACTOR), MemberDelta()
            if resource_id is None:
                return writes.create(unit, kind, document, delta).id
            return writes.update(unit, kind, resource_id, lambda *_: (document, delta)).id

        return store.write(work)

    resource_id = written(None)
    for change in changes:
        document = {name: value for name, value in {**document, **change}.items() if value is not None}
        written(resource_id)
        query = sa.select(TABLES[kind.name]).where(TABLES[kind.name].c.id == resource_id)
        row = store.read(lambda db, query=query: db.execute(query).mappings().one())
        told = {"name_key": fold(document[kind.unique]), "search_key": search_key(kind, document)}
        assert {name: row[name] for name in told} == told
        assert {one.column: row[one.column] for one in kind.attributes} == kind.columns(document)
    store.close()
