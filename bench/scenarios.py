"""The requests that are measured, each beside what the floor does for it."""

import itertools
import random
from collections.abc import Callable
from urllib.parse import quote

import make
from load import Request
from make import Organization

from scim_app.directory.events import EventType
from scim_app.directory.kinds import USER
from scim_app.store import resources
from scim_app.store.event_log import Unit
from scim_app.store.session import Store

Ask = Callable[[int], Request]
BATCH = 5_000
NAMES = (
    "get",
    "filter userName eq",
    "filter externalId eq",
    "filter, nobody",
    "page of 100, deep",
    "create",
    "PATCH active",
    "PUT",
    "add a member",
    "group without members",
)


def person(number: int) -> dict[str, object]:
    """A user as Okta writes one."""
    name = f"u{number:08d}@example.com"
    return make.user(
        name,
        externalId=f"00u{number:012d}",
        name={"givenName": f"Given{number % 997}", "familyName": f"Family{number % 9973}"},
        emails=[{"primary": True, "value": name, "type": "work"}],
        displayName=f"Given{number % 997} Family{number % 9973}",
        locale="en-US",
        title="Engineer",
    )


class Directory:
    """An organization with users, and what is asked of it."""

    def __init__(self, organization: Organization, port: int) -> None:
        self._organization = organization
        self._base = f"/{organization.slug}/scim/v2"
        self._client = organization.client(f"http://127.0.0.1:{port}")
        self._ids: list[str] = []
        self._new = itertools.count(10_000_000)
        self._floor_new = itertools.count(10_000_000)
        self._random = random.Random(1)
        self._group = ""

    def seed(self, users: int) -> None:
        """Provision users as an identity provider does, through the store's own writes."""
        self.seed_directly(users)

    def seed_directly(self, users: int) -> None:
        """Write users in batches, each user with its event."""
        store = Store(self._organization.settings.store_url)
        try:
            for first in range(0, users, BATCH):
                people = [person(number) for number in range(first, min(users, first + BATCH))]
                self._ids += store.write(
                    lambda db, people=people: self._insert(Unit.begin(db, self._organization.id, make.ACTOR), people)
                )
        finally:
            store.close()
        body = make.group("Everyone", *self._ids[: min(1_000, users)])
        self._group = self._client.post("/Groups", json=body).raise_for_status().json()["id"]

    @staticmethod
    def _insert(unit: Unit, people: list[dict[str, object]]) -> list[str]:
        return resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim")

    def seed_floor(self, port: int) -> None:
        """Give the floor as many rows."""
        import httpx

        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for number in range(1_000):
                client.post(f"/one/u{number}", json=person(number)).raise_for_status()

    def _some(self) -> tuple[int, str]:
        number = self._random.randrange(len(self._ids))
        return number, self._ids[number]

    def scenarios(self) -> dict[str, tuple[Ask, Ask]]:
        """Return, by name, what is asked of us and of the floor."""
        select: Ask = lambda number: ("GET", f"/one/u{number % 1_000}", None)
        insert: Ask = lambda _: ("POST", f"/one/n{next(self._floor_new)}", person(0))
        asks = (
            self.get,
            self.by_name,
            self.by_external_id,
            self.nobody,
            self.page,
            self.create,
            self.patch,
            self.put,
            self.member,
            self.group,
        )
        writes = {self.create, self.patch, self.put, self.member}
        return {name: (ask, insert if ask in writes else select) for name, ask in zip(NAMES, asks, strict=True)}

    def get(self, _: int) -> Request:
        """One user."""
        return "GET", f"{self._base}/Users/{self._some()[1]}", None

    def _filtered(self, text: str) -> Request:
        return "GET", f"{self._base}/Users?filter={quote(text)}&startIndex=1&count=100", None

    def by_name(self, _: int) -> Request:
        """A user by name."""
        return self._filtered(f'userName eq "u{self._some()[0]:08d}@example.com"')

    def by_external_id(self, _: int) -> Request:
        """A user by the identity provider's id."""
        return self._filtered(f'externalId eq "00u{self._some()[0]:012d}"')

    def nobody(self, number: int) -> Request:
        """A user who is not there."""
        return self._filtered(f'userName eq "nobody{number}@example.com"')

    def page(self, _: int) -> Request:
        """The last page."""
        return "GET", f"{self._base}/Users?startIndex={max(1, len(self._ids) - 99)}&count=100", None

    def create(self, _: int) -> Request:
        """A new user."""
        return "POST", f"{self._base}/Users", person(next(self._new))

    def patch(self, number: int) -> Request:
        """Disable or enable a user."""
        body = make.patch({"op": "replace", "value": {"active": bool(number // 97 % 2)}})
        return "PATCH", f"{self._base}/Users/{self._ids[number % min(97, len(self._ids))]}", body

    def put(self, number: int) -> Request:
        """A user whole, with another title."""
        which, user_id = self._some()
        return "PUT", f"{self._base}/Users/{user_id}", person(which) | {"id": user_id, "title": f"T{number}"}

    def member(self, number: int) -> Request:
        """Another member for a group, or one less."""
        op = "add" if number % 2 else "remove"
        value = [{"value": self._ids[-1 - number // 2 % 50]}]
        return "PATCH", f"{self._base}/Groups/{self._group}", make.patch({"op": op, "path": "members", "value": value})

    def group(self, _: int) -> Request:
        """A group without its members."""
        return "GET", f"{self._base}/Groups/{self._group}?excludedAttributes=members", None
