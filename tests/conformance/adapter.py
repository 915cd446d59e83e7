"""Our storage behind the interface of scim2-server, so that its contract for storages can be asked of it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import make
import orjson
import sqlalchemy as sa
from scim2_models import PreconditionFailedException, Resource, ResourceType, ResponseParameters
from scim2_server.storage import ScimStorage, SearchPage

from scim_app.directory.kinds import Document, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.protocol import decode, encode
from scim_app.protocol.dialects import STRICT
from scim_app.protocol.search import planned
from scim_app.protocol.wire import STORED, kind_of
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import resources
from scim_app.store.resources.resources import Stored
from scim_app.store.search.pages import Found, Listing, Place

BASE = "https://scim.example/v2"
EVERYTHING: ResponseParameters[Any] = ResponseParameters()


class StoreStorage(ScimStorage):
    """The store, one organization of it."""

    supports_cursors = True

    def __init__(self, organization: make.Organization) -> None:
        self._store = Store(organization.settings.store_url)
        self._org = organization.id

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def get(self, resource_type: ResourceType, resource_id: str, *, response_parameters: Any = None) -> Resource[Any]:
        """Return a resource."""
        kind = kind_of(resource_type)
        wanted = response_parameters or EVERYTHING
        return self._store.read(
            lambda db: self._shown(db, kind, resources.get(db, self._org, kind, resource_id), wanted)
        )

    def search(self, resource_types: list[ResourceType], search_request: Any, *, position: Any = None) -> SearchPage:
        """Return a page."""
        kinds = [kind_of(one) for one in resource_types]
        limit = 10_000 if search_request.count is None else search_request.count

        def work(db: sa.Connection) -> SearchPage:
            listing = Listing(db, self._org, *planned(kinds, search_request, BASE))
            total = listing.count()
            if search_request.cursor is None:
                rows = listing.by_index((search_request.start_index or 1) - 1, limit)
                return SearchPage(total, [self._shown(db, one.kind, one.stored, EVERYTHING) for one in rows])
            page = listing.from_place(None if position is None else Place(*position), limit)
            found = [self._shown(db, one.kind, one.stored, EVERYTHING) for one in page.rows]
            later = _position(page.rows[-1], backwards=False) if page.rows and page.later else None
            earlier = _position(page.rows[0], backwards=True) if page.rows and page.earlier else None
            return SearchPage(total, found, later, earlier)

        return self._store.read(work)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Store a new resource."""
        kind = kind_of(resource_type)
        document, delta = decode.read_creation(kind, _body(resource), STRICT)
        return self._write(kind, lambda unit: writes.create(unit, kind, document, delta))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Replace a resource."""
        kind, asked = kind_of(resource_type), decode.read_replacement(kind_of(resource_type), _body(resource), STRICT)

        def edit(unit: Unit, stored: Stored) -> tuple[Document, MemberDelta]:
            _require(stored, expected_version)
            return asked(unit, stored)

        return self._write(kind, lambda unit: writes.update(unit, kind, str(resource.id), edit))

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """Remove a resource."""
        kind = kind_of(resource_type)

        def work(db: sa.Connection) -> None:
            unit = Unit.begin(db, self._org, make.ACTOR)
            writes.delete(unit, kind, resource_id, lambda stored: _require(stored, expected_version))

        self._store.write(work)

    def _write(self, kind: Kind, work: Any) -> Resource[Any]:
        return self._store.write(
            lambda db: self._shown(db, kind, work(Unit.begin(db, self._org, make.ACTOR)), EVERYTHING)
        )

    def _shown(self, db: sa.Connection, kind: Kind, stored: Stored, wanted: Any) -> Resource[Any]:
        (text,) = encode.render(db, self._org, BASE, kind, [stored], wanted)
        shown = kind.model.model_validate(orjson.loads(text), scim_policy=STORED)
        if shown.meta is not None:
            shown.meta.location = None
        return shown


def _require(stored: Stored, version: str | None) -> None:
    if version is not None and version != stored.etag:
        raise PreconditionFailedException


def _position(found: Found, *, backwards: bool) -> list[Any]:
    return [found.value, found.stored.position, backwards]


def _body(resource: Resource[Any]) -> dict[str, Any]:
    return resource.model_dump()


@contextmanager
def opened(organization: make.Organization) -> Generator[StoreStorage]:
    """The storage of an organization."""
    storage = StoreStorage(organization)
    try:
        yield storage
    finally:
        storage.close()
