"""Fixtures: a running service on each database for all tests, an organization of its own for each test."""

import itertools
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import make
import postgres
import pytest
from browser.places import ARGUMENTS, chromium_path
from make import Organization, Service
from playwright.sync_api import Browser, sync_playwright

DATABASES = ["sqlite", "postgresql"]
LONGEST = (
    "whole_line",
    "browser",
    "reports",
    "cli",
    "test_backfill",
    "durability",
    "fuzz",
    "properties",
    "dagster_defs",
)
"""What takes longest, by a part of its path."""
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def lasting() -> Generator[ExitStack]:
    """What is started once and stopped when the session ends, the last one first."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def postgres_server(lasting: ExitStack) -> str:
    """The address of a PostgreSQL server."""
    return lasting.enter_context(postgres.server())


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Each database that the store can be, one after the other."""
    return request.param


@pytest.fixture(scope="session")
def started() -> dict[str, tuple[Path, Service]]:
    """Database → the service on it and its folder, where it runs already."""
    return {}


@pytest.fixture(scope="session")
def running(
    database: str,
    started: dict[str, tuple[Path, Service]],
    lasting: ExitStack,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Service]:
    """The shared service and its folder. It outlives the turn of its database: files take turns, each with both."""
    if database not in started:
        home = lasting.enter_context(_folder(request, database, tmp_path_factory.mktemp("home")))
        make.organization(make.settings(home), "first")
        started[database] = home, lasting.enter_context(make.service(home))
    return started[database]


@pytest.fixture(scope="session")
def home(running: tuple[Path, Service]) -> Path:
    """The folder of the shared service; its settings name its database."""
    return running[0]


@pytest.fixture(scope="session")
def service(running: tuple[Path, Service]) -> Service:
    """A service that runs as a process of its own."""
    return running[1]


@pytest.fixture
def folder(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Path]:
    """A fresh folder whose settings name a database of its own, empty yet."""
    with _folder(request, database, tmp_path) as path:
        yield path


@contextmanager
def _folder(request: pytest.FixtureRequest, database: str, path: Path) -> Generator[Path]:
    if database == "sqlite":
        yield path
        return
    server: str = request.getfixturevalue("postgres_server")
    with postgres.database(server, f"scim_{next(_numbers)}") as url:
        make.DATABASE_URLS[path] = url
        yield path
        del make.DATABASE_URLS[path]


@pytest.fixture
def organization(service: Service, home: Path) -> Organization:
    """A fresh organization that the service serves."""
    return make.organization(make.settings(home), f"org-{next(_numbers)}")


@pytest.fixture
def scim(service: Service, organization: Organization) -> Generator[httpx.Client]:
    """A client of the fresh organization."""
    with organization.client(service.address) as client:
        yield client


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share the tests, the longest files begin first: none is left to one worker at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [place not in item.path.parts and place != item.path.stem for place in LONGEST])


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many requests the tests send that can send many."""
    parser.addoption("--full", action="store_true", help="full sizes of the tests of several workers")
    parser.addoption("--runs", default="500", help="runs of the comparison of both databases with a model")
    parser.addoption("--requests", default="1000", help="requests of the fuzz test on each database")


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """Chromium, without a window. Of one module: while its driver runs, nothing else in the process can use asyncio."""
    path = chromium_path()
    if path is None:
        missing = "Chromium is missing: `make setup-browser` installs it where it may"
        (pytest.fail if make.in_ci() else pytest.skip)(missing)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()
