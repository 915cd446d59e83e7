"""What tests are made of: stores, running services, SCIM bodies."""

import os
import pkgutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import forked
import httpx
import sqlalchemy as sa

import scim_app.store.db
from scim_app.directory.events import Actor
from scim_app.directory.reach import OPERATOR
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.credentials import tokens
from scim_app.store.db import migrate
from scim_app.store.db.tables import metadata
from scim_app.store.export import Export
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

T = TypeVar("T")
Body = dict[str, Any]

DATABASE_URLS: dict[Path, str] = {}
"""Folder → address of its database, where that is not an SQLite file in the folder."""

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ACTOR = Actor(name="test", idp="okta", authority=OPERATOR)
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def declared_tables() -> sa.MetaData:
    """The tables of the store, whatever was imported before."""
    for module in pkgutil.iter_modules(scim_app.store.db.__path__, "scim_app.store.db."):
        import_module(module.name)
    return metadata


def user(name: str, /, **attributes: Any) -> Body:
    """A user's body."""
    return {"schemas": [USER], "userName": name, "active": True, **attributes}


def group(name: str, /, *members: str, **attributes: Any) -> Body:
    """A group's body."""
    return {"schemas": [GROUP], "displayName": name, "members": [{"value": m} for m in members], **attributes}


def patch(*operations: Body) -> Body:
    """A PATCH body."""
    return {"schemas": [PATCH], "Operations": list(operations)}


def deactivate() -> Body:
    """The PATCH with which Okta takes access away."""
    return patch({"op": "replace", "value": {"active": False}})


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(found: Callable[[], T], *, seconds: float = 60, what: str = "it") -> T:
    """Return the first true value of `found`, asked again and again until a deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def settings(home: Path, **values: Any) -> Settings:
    """Settings of a folder, whatever the environment says."""
    return Settings.model_validate({"home": home, "database_url": DATABASE_URLS.get(home), **values})


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization in a store, and the token that it was given."""

    settings: Settings
    id: str
    slug: str
    token: str

    @contextmanager
    def export(self) -> Generator[Export]:
        """The store's export."""
        export = Export(self.settings.store_url)
        try:
            yield export
        finally:
            export.close()

    def events(self) -> list[dict[str, Any]]:
        """All events."""
        with self.export() as export:
            return export.events(self.id, limit=100_000)

    def client(self, address: str) -> httpx.Client:
        """A client of the SCIM base URL with the token."""
        return httpx.Client(
            base_url=f"{address}/{self.slug}/scim/v2",
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"},
            trust_env=False,
            timeout=30,
        )


def organization(within: Settings, slug: str = "acme", **values: Any) -> Organization:
    """A new organization with a token, in a store that is made where there is none."""
    pepper = within.ensure_pepper()
    migrate.upgrade(within.store_url)
    store = Store(within.store_url)
    try:
        made = store.write(lambda db: organizations.create(db, slug, actor=ACTOR, **values))
        _, text = store.write(lambda db: tokens.create(Unit.begin(db, made.id, ACTOR), pepper=pepper))
    finally:
        store.close()
    return Organization(within, made.id, slug, text)


def environment(home: Path, **extra: str) -> dict[str, str]:
    """The environment of a program under test: its home, nothing of the caller's settings, this Python's programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "DBT_"))}
    quiet = {"DAGSTER_DISABLE_TELEMETRY": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}
    path = os.pathsep.join([str(BIN), kept.get("PATH", os.defpath)])
    database = {"DAGSTER_SCIM_DATABASE_URL": DATABASE_URLS[home]} if home in DATABASE_URLS else {}
    return {**kept, **quiet, **database, "PATH": path, "DAGSTER_SCIM_HOME": str(home), **extra}


def command(*arguments: str, home: Path, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run `dagster-scim …` to its end."""
    return forked.run(list(arguments), environment(home, **extra), ROOT, 300)


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def service(home: Path, *, workers: int = 1, **extra: str) -> Generator[Service]:
    """Run `dagster-scim serve` on a store that is up to date, with extra environment; stop it at the end."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = [str(BIN / "dagster-scim"), "serve", "--port", str(port), "--workers", str(workers)]
    # All tests ask from one address.
    env = environment(home, DAGSTER_SCIM_PUBLIC_URL=address, **{"DAGSTER_SCIM_ANONYMOUS_RATE_LIMIT": "0"} | extra)
    with (home / "service.log").open("ab") as log:
        process = subprocess.Popen(program, env=env, stdout=log, stderr=log)
    try:
        until(lambda: answers(f"{address}/readyz"), seconds=180, what="the service's start")
        yield Service(address, process)
    finally:
        process.terminate()
        process.wait(30)


def raw(address: str, request: bytes) -> bytes:
    """Send bytes, say that no more will come, and return what is answered."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        return b"".join(received(connection))


def received(connection: socket.socket) -> Iterator[bytes]:
    """What a connection brings, until it ends."""
    with connection:
        while chunk := connection.recv(65536):
            yield chunk


def answers(url: str) -> bool:
    """Whether a GET succeeds."""
    try:
        return httpx.get(url, trust_env=False, timeout=2).is_success
    except httpx.HTTPError:
        return False


def in_ci() -> bool:
    """Whether this is a machine that checks every change, where nothing may be left out."""
    return bool(os.environ.get("CI"))


def port_answers(port: int) -> bool:
    """Whether anything listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
