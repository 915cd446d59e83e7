"""PostgreSQL goes away under load and comes back: everything answers 503 with `Retry-After` meanwhile."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import httpx
import make
import postgres
import pytest
from make import Organization, Service
from postgres import Stoppable

from scim_app.admin.site import Site
from scim_app.directory.permissions import SCOPES
from scim_app.store.access import organizations
from scim_app.store.access.acting import Acting
from scim_app.store.credentials import api_keys
from scim_app.store.credentials.sessions import SessionKind, start
from scim_app.store.log.session import Store

AT_ONCE = 24
NO_STORE = {"/metrics", "/healthz"}
"""What needs no database."""

Ask = Callable[[httpx.Client, int], httpx.Response]


@pytest.fixture
def server() -> Generator[Stoppable]:
    """A server of the test's own."""
    with postgres.stoppable() as running:
        yield running


@pytest.fixture
def made(server: Stoppable, tmp_path: Path) -> Generator[Organization]:
    """An organization on it."""
    make.DATABASE_URLS[tmp_path] = server.address
    yield make.organization(make.settings(tmp_path, api_rate_limit=0))
    del make.DATABASE_URLS[tmp_path]


def asks_of(made: Organization) -> dict[str, Ask]:
    """Label → what a caller asks for; each is given a number of its own."""
    store = Store(made.settings.store_url)
    try:
        desk = Acting(store, store.read(lambda db: organizations.by_slug(db, made.slug)), make.ACTOR)
        secret = desk.write(start, SessionKind.BREAK_GLASS, user_id=None, name="outage")
        _, key = desk.write(api_keys.create, SCOPES, pepper=made.settings.read_pepper())
        cookie = f"{Site.of(store, made.settings).cookie(f'session_{made.slug}')}={secret}"
    finally:
        store.close()
    scim = f"/{made.slug}/scim/v2"
    token = {"Authorization": f"Bearer {made.token}"}

    def get(path: str, headers: dict[str, str]) -> Ask:
        return lambda client, _: client.get(path, headers=headers)

    def post(client: httpx.Client, number: int) -> httpx.Response:
        return client.post(f"{scim}/Users", headers=token, json=make.user(f"u{number}@example.com"))

    def bulk(client: httpx.Client, number: int) -> httpx.Response:
        schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
        operation = {"method": "POST", "path": "/Users", "bulkId": "b", "data": make.user(f"b{number}@example.com")}
        return client.post(f"{scim}/Bulk", headers=token, json={"schemas": [schema], "Operations": [operation]})

    return {
        "look-up": get(f'{scim}/Users?filter=userName eq "nobody@example.com"', token),
        "search": get(f'{scim}/Users?filter=userName sw "u1"', token),
        "walk": get(f"{scim}/Users?startIndex=2&count=1", token),
        "write": post,
        "bulk": bulk,
        "page": get(f"/{made.slug}/settings/users", {"Cookie": cookie}),
        "sign-in": get(f"/{made.slug}/settings/sign-in", {}),
        "API": get(f"/{made.slug}/api/users", {"Authorization": f"Bearer {key}"}),
        "/readyz": get("/readyz", {}),
        **{path: get(path, {}) for path in NO_STORE},
    }


class Crowd:
    """Callers who ask without a pause, and what they were answered."""

    def __init__(self, service: Service, asks: dict[str, Ask]) -> None:
        self._service = service
        self._asks = asks
        self._numbers = itertools.count()
        self._lock = Lock()
        self.answers: dict[str, Counter[str]] = defaultdict(Counter)
        self.end = Event()

    def run(self, _: int) -> None:
        """Ask until the end."""
        with httpx.Client(base_url=self._service.address, trust_env=False, timeout=60) as client:
            while not self.end.is_set():
                with self._lock:
                    number = next(self._numbers)
                self.ask(client, number)

    def ask(self, client: httpx.Client, number: int) -> None:
        """Ask one thing and count the answer."""
        label = list(self._asks)[number % len(self._asks)]
        answer = self._asks[label](client, number)
        status = answer.status_code
        problem = status >= 500 and not (status == 503 and answer.headers.get("Retry-After", "").isdecimal())
        with self._lock:
            self.answers[label][f"{status} {answer.text[:300]}" if problem else str(status)] += 1

    def has_had(self, status: str, labels: set[str]) -> bool:
        """Whether each of the labels has had an answer with a status."""
        with self._lock:
            return all(self.answers[label][status] for label in labels)

    def forget(self) -> None:
        """Count from here on."""
        with self._lock:
            self.answers.clear()


def test_without_its_server_everything_answers_503_and_goes_on_with_it(server: Stoppable, made: Organization) -> None:
    asks = asks_of(made)
    needing = set(asks) - NO_STORE
    succeeding = needing - {"write"}
    with make.service(made.settings.home, DAGSTER_SCIM_API_RATE_LIMIT="0") as service, ThreadPoolExecutor(AT_ONCE) as t:
        crowd = Crowd(service, asks)
        try:
            running = [t.submit(crowd.run, number) for number in range(AT_ONCE)]
            make.until(lambda: crowd.has_had("200", succeeding) and crowd.has_had("201", {"write"}), what="a success")
            server.stop()
            make.until(lambda: crowd.has_had("503", needing), what="an answer without the server")
            outage = {label: dict(counted) for label, counted in crowd.answers.items()}
            server.start()
            crowd.forget()
            make.until(lambda: crowd.has_had("200", succeeding) and crowd.has_had("201", {"write"}), what="a success")
        finally:
            crowd.end.set()
        for one in running:
            one.result(60)
    expected = {"200", "201", "503"}
    for answers in (outage, crowd.answers):
        assert {label: set(counted) - expected for label, counted in answers.items() if set(counted) - expected} == {}
    assert all(set(crowd.answers[path]) | set(outage[path]) <= {"200"} for path in NO_STORE)
