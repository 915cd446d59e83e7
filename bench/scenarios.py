"""The requests that are measured, each beside what the floor does for it and the share of it that is the goal."""

import itertools
import random
from dataclasses import dataclass
from urllib.parse import quote

import load
import make
import orjson
from load import Ask, Request
from make import Organization

from scim_app.directory.events import EventType
from scim_app.directory.kinds import USER
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import resources

BATCH = 5_000
TEAM = 1_000
REPLACED = 10_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked of us and of the floor."""

    ours: Ask
    floor: Ask
    goal: float
    at_once: int = 8
    grows: bool = True
    """Whether its cost is watched as the directory grows."""


def name_of(number: int) -> str:
    """A user's name."""
    return f"u{number:08d}@example.com"


def person(number: int) -> dict[str, object]:
    """A user as Okta writes one."""
    name = name_of(number)
    return make.user(
        name,
        externalId=f"00u{number:012d}",
        name={"givenName": f"Given{number % 997}", "familyName": f"Family{number % 9973}"},
        emails=[{"primary": True, "value": name, "type": "work"}],
        displayName=f"Given{number % 997} Family{number % 9973}",
        locale="en-US",
        title="Engineer",
    )


def members(op: str, *ids: str) -> dict[str, object]:
    """A PATCH of a group's members."""
    return make.patch({"op": op, "path": "members", "value": [{"value": one} for one in ids]})


class Directory:
    """An organization with users, and what is asked of it."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self.base = f"/{organization.slug}/scim/v2"
        self.ids: list[str] = []
        self._new = itertools.count(10_000_000)
        self._random = random.Random(1)
        self._team = ""

    def seed(self, users: int) -> None:
        """Provision users until there are so many, in batches through the store's own writes, each with its event."""
        store = Store(self._organization.settings.store_url)
        try:
            for first in range(len(self.ids), users, BATCH):
                people = [person(number) for number in range(first, min(users, first + BATCH))]
                self.ids += store.write(
                    lambda db, people=people: self._insert(Unit.begin(db, self._organization.id, make.ACTOR), people)
                )
        finally:
            store.close()

    @staticmethod
    def _insert(unit: Unit, people: list[dict[str, object]]) -> list[str]:
        return resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim")

    def team(self, port: int, size: int, name: str = "") -> str:
        """Push a group with the first users as members, and return its id."""
        body = make.group(name or f"Team of {size}", *self.ids[:size])
        answer, _ = load.send(port, self._organization.token, ("POST", f"{self.base}/Groups", body))
        self._team = orjson.loads(answer)["id"]
        return self._team

    def scenarios(self) -> dict[str, Scenario]:
        """Return, by name, what is asked."""
        floor = Floor(len(self.ids))
        return {
            "get": Scenario(self.get, floor.select, 0.7),
            "filter userName eq": Scenario(self.by_name, floor.by_name, 0.7),
            "filter externalId eq": Scenario(self.by_external_id, floor.by_name, 0.7),
            "filter, nobody": Scenario(self.nobody, floor.nobody, 0.7),
            "page of 100, first": Scenario(self.first, floor.page, 0.4),
            "page of 100, last": Scenario(self.last, floor.page, 0.4),
            "create": Scenario(self.create, floor.insert, 0.5),
            "PATCH active": Scenario(self.patch, floor.patch, 0.5),
            "PUT": Scenario(self.put, floor.update, 0.5),
            "a member more or less": Scenario(self.member, floor.member, 0.5),
            "group without members": Scenario(self.group, floor.select, 0.7),
            f"replace {REPLACED:,} members": Scenario(self.replace, floor.replace, 0.5, at_once=1, grows=False),
            "mixed, a client's day": Scenario(Mix(self).ask, Mix(floor).ask, 0.5, grows=False),
        }

    def _some(self) -> tuple[int, str]:
        number = self._random.randrange(len(self.ids))
        return number, self.ids[number]

    def get(self, _: int) -> Request:
        """One user."""
        return "GET", f"{self.base}/Users/{self._some()[1]}", None

    def _filtered(self, text: str) -> Request:
        return "GET", f"{self.base}/Users?filter={quote(text)}&startIndex=1&count=100", None

    def by_name(self, _: int) -> Request:
        """A user by name."""
        return self._filtered(f'userName eq "{name_of(self._some()[0])}"')

    def by_external_id(self, _: int) -> Request:
        """A user by the identity provider's id."""
        return self._filtered(f'externalId eq "00u{self._some()[0]:012d}"')

    def nobody(self, number: int) -> Request:
        """A user who is not there."""
        return self._filtered(f'userName eq "nobody{number}@example.com"')

    def first(self, _: int) -> Request:
        """The first page."""
        return "GET", f"{self.base}/Users?startIndex=1&count=100", None

    def last(self, _: int) -> Request:
        """The last page of those that were there at the beginning."""
        return "GET", f"{self.base}/Users?startIndex={max(1, len(self.ids) - 99)}&count=100", None

    def create(self, _: int) -> Request:
        """A new user."""
        return "POST", f"{self.base}/Users", person(next(self._new))

    def patch(self, number: int) -> Request:
        """Disable or enable a user."""
        body = make.patch({"op": "replace", "value": {"active": bool(number // 97 % 2)}})
        return "PATCH", f"{self.base}/Users/{self.ids[number % min(97, len(self.ids))]}", body

    def put(self, number: int) -> Request:
        """A user whole, with another title."""
        which, user_id = self._some()
        return "PUT", f"{self.base}/Users/{user_id}", person(which) | {"id": user_id, "title": f"T{number}"}

    def member(self, number: int) -> Request:
        """Another member for a group, or one less."""
        body = members("add" if number % 2 else "remove", self.ids[-1 - number // 2 % 50])
        return "PATCH", f"{self.base}/Groups/{self._team}", body

    def replace(self, number: int) -> Request:
        """Other members for a group: ten go and ten come."""
        first = 10 * (number % 2)
        body = members("replace", *self.ids[first : first + REPLACED - 10])
        return "PATCH", f"{self.base}/Groups/{self._team}", body

    def group(self, _: int) -> Request:
        """A group without its members."""
        return "GET", f"{self.base}/Groups/{self._team}?excludedAttributes=members", None

    def bulk(self, _: int) -> Request:
        """A hundred new users in one request."""
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": str(number), "data": person(next(self._new))}
            for number in range(100)
        ]
        schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
        return "POST", f"{self.base}/Bulk", {"schemas": schemas, "Operations": operations}


class Floor:
    """What the floor is asked; its rows have the users' names as keys."""

    def __init__(self, users: int) -> None:
        self._users = users
        self._new = itertools.count(10_000_000)

    def _one(self, number: int) -> str:
        return f"/one/{name_of(number * 7919 % self._users)}"

    def select(self, number: int) -> Request:
        """A document."""
        return "GET", self._one(number), None

    def by_name(self, number: int) -> Request:
        """A document by a filter."""
        return "GET", "/one?filter=" + quote(f'userName eq "{name_of(number * 7919 % self._users)}"'), None

    def nobody(self, number: int) -> Request:
        """A document that is not there."""
        return "GET", "/one?filter=" + quote(f'userName eq "nobody{number}@example.com"'), None

    def page(self, _: int) -> Request:
        """A hundred documents."""
        return "GET", f"/page/{name_of(max(0, self._users - 100))}", None

    def create(self, _: int) -> Request:
        """A new document."""
        return "POST", f"/one/{next(self._new)}", person(0)

    insert = create

    def put(self, number: int) -> Request:
        """Another document in the place of one."""
        return "PUT", self._one(number), person(number)

    update = put

    def patch(self, number: int) -> Request:
        """A document with another value."""
        body = make.patch({"op": "replace", "value": {"active": bool(number % 2)}})
        return "PATCH", self._one(number), body

    def member(self, number: int) -> Request:
        """A member more or less."""
        return "PATCH", f"/members/team/m{number // 2 % 50}", members("add" if number % 2 else "remove", "m")

    def replace(self, number: int) -> Request:
        """Other members."""
        first = 10 * (number % 2)
        return "PATCH", "/members/team", members("replace", *map(name_of, range(first, first + REPLACED - 10)))


class Mix:
    """An identity provider's day: look-ups, and one write in two and a half of them."""

    def __init__(self, asked: "Directory | Floor") -> None:
        self._asked = asked
        self._random = random.Random(2)

    def ask(self, number: int) -> Request:
        """The next request."""
        one = self._asked
        kinds = (one.by_name, one.put, one.patch, one.create, one.member)
        return self._random.choices(kinds, (6, 1, 1, 1, 1))[0](number)
