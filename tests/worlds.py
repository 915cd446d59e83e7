"""A database with its application as one of several that are asked the same: ids go by labels there."""

import asyncio
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import make
from asgi import Answer, Client

from scim_app.app import create_app
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.credentials import tokens
from scim_app.store.export import Export
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

_LABEL = re.compile(r"<(\w+)>")


@dataclass
class World:
    """One database: the application over it, its log, and which id each label has there."""

    app: Any
    settings: Settings
    store: Store
    export: Export
    loop: asyncio.AbstractEventLoop
    client: Client | None = None
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def begin(self, run: int) -> None:
        """Take a new, empty organization."""
        made = self.store.write(lambda db: organizations.create(db, f"run-{run}", actor=make.ACTOR))
        pepper = self.settings.read_pepper()
        _, token = self.store.write(lambda db: tokens.create(Unit.begin(db, made.id, make.ACTOR), pepper=pepper))
        self.client = Client(self.app, make.Organization(self.settings, made.id, made.slug, token))
        self.ids = {}

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """Send a request in which `<label>` stands for an id."""
        assert self.client is not None
        return self.loop.run_until_complete(self.client(method, self.real(path), self.real(body), **self.real(more)))

    def real(self, value: Any) -> Any:
        """A value with ids for labels."""
        if isinstance(value, Mapping):
            return {key: self.real(held) for key, held in value.items()}
        if isinstance(value, list):
            return [self.real(held) for held in value]
        if isinstance(value, str):
            return _LABEL.sub(lambda found: self.ids.get(found[1], found[1]), value)
        return value

    def shown(self, resource: Mapping[str, Any]) -> tuple[Any, ...]:
        """A resource as the model has it: attributes, groups or members by label, version."""
        labels = {key: label for label, key in self.ids.items()}
        linked = resource.get("groups", resource.get("members", []))
        server = {"schemas", "id", "meta", "groups", "members"}
        attributes = {name: value for name, value in resource.items() if name not in server}
        version = int(resource["meta"]["version"].strip('W/"'))
        return attributes, {labels.get(one["value"], one["value"]) for one in linked}, version


@contextmanager
def opened(folder: Path, loop: asyncio.AbstractEventLoop) -> Generator[World]:
    """The database that the folder's settings name."""
    within = make.settings(folder, rate_limit=0)
    make.organization(within, "first")
    app, store = create_app(within), Store(within.store_url)
    export = Export(within.store_url)
    try:
        yield World(app, within, store, export, loop)
    finally:
        export.close()
        store.close()


def values(members: list[str]) -> list[make.Body]:
    """Members by label as SCIM has them."""
    return [{"value": f"<{member}>"} for member in members]


def member_operations(op: str, members: list[str]) -> list[make.Body]:
    """What a PATCH says to `add`, `remove` or `replace` members, or to `clear` them."""
    if op == "clear":
        return [{"op": "remove", "path": "members"}]
    if op == "remove":
        return [{"op": "remove", "path": f'members[value eq "<{member}>"]'} for member in members]
    return [{"op": op, "path": "members", "value": values(members)}]
