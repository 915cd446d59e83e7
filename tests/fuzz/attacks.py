"""Hostile requests: recorded ones taken apart and put together wrongly, and what was made to hurt parsers."""

# ruff: noqa: E501

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import filter_grammar as grammar
import make

from scim_app.cli.exchanges import load

Json = Any
STORIES = load(make.ROOT / "tests" / "idp")
RECORDED = [step for story in STORIES for step in story.steps]

TEXTS: Sequence[Json] = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "\U0001f469‍\U0001f4bb",
        "ﷺ" * 40,
        "e" + "\u0301" * 300,
        "\u202eevil",
        "\r\nX: y",
    ),
    *(
        "'; DROP TABLE users; --",
        '"',
        "\\",
        "%",
        "_",
        "${7*7}",
        "{{7*7}}",
        "<script>",
        "=1+1",
        "../../etc",
        "٣",
        "ＡＤＡ",
    ),
    *("0", "1", "-1", "1.0", " 1", "null", "true", "False", "NaN", "undefined", "x" * 257, "x" * 9_000, "bulkId:a"),
    *("id", "members", "urn:", "urn:ietf:params:scim:schemas:core:2.0:User", "__proto__", "userName.x.y", "a[b", "[]"),
)
SCALARS: Sequence[Json] = (
    *(None, True, False, 0, -1, 1, 1.5, 1e308, 2**53, 2**53 + 1, 2**64, 10**30, -(2**63) - 1),
    *([], {}, [[]], [None], [{}], {"value": None}, {"value": []}, [[[[]]]], {"": ""}, [1, "a", {}]),
)
RAW: Sequence[bytes] = (
    *(b"", b"{", b"}", b"null", b"[]", b'""', b"0", b"NaN", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{}{}", b"\x00", b"\x1f\x8b\x08"),
    *(b"[" * 20_000, b'{"a":' * 20_000, b'{"userName":"\\ud800"}', b'{"userName":1e400}', b'{"a":1,"a":2}', b'{"a":"\xff"}'),
    *(b'"' * 9_999, b'"' + b"\\" * 9_999, b'{"schemas":' + b"9" * 6_000 + b"}", b" " * 70_000, b"{" + b'"a":1,' * 9_000 + b'"b":1}'),
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "PURGE")
PATHS = ("/Users", "/Groups", "/Bulk", "/.search", "/Users/.search", "/Groups/.search", "/Me", "/Schemas", "/ResourceTypes",
         "/ServiceProviderConfig", "", "/", "/Users/", "/users", "/Users//x", "/Users/..", "/Users/%2e%2e/Groups", "/Users%2Fx",
         "/Users/%00", "/Users/%ff", "/Users/a/b", "/Users;x=1", "/Schemas/urn:x", "/%55sers", "/Users?")  # fmt: skip
TYPES = ("application/scim+json", "application/json", "text/plain", "application/xml", "multipart/form-data; boundary=x", "",
         "application/scim+json; charset=utf-7", "a" * 5_000, "application/scim+json;;;charset")  # fmt: skip


@dataclass(slots=True)
class Attack:
    """A request as it goes to the application."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def told(self) -> str:
        """What to say when it succeeds."""
        return f"{self.method} {self.path[:200]} {self.headers} {self.body[:500]!r}"


class Attacker:
    """Makes requests by chance; the same seed makes the same ones.

    Args:
        seed: of the chance.
        ids: ids that the service has given out; the caller may add to them.
    """

    def __init__(self, seed: int, ids: list[str]) -> None:
        self._chance = random.Random(seed)
        self._ids = ids

    def attack(self) -> Attack:
        """Return the next request."""
        chance = self._chance
        makers: tuple[tuple[int, Callable[[], Attack]], ...] = (
            (8, self._recorded), (5, self._patch), (5, self._query), (2, self._bulk), (1, self._raw), (1, self._path)
        )  # fmt: skip
        (maker,) = chance.choices([one for _, one in makers], [weight for weight, _ in makers])
        made = maker()
        if chance.random() < 0.05:
            made.headers["Content-Type"] = chance.choice(TYPES)
        if chance.random() < 0.05:
            name = chance.choice(["If-Match", "If-None-Match"])
            made.headers[name] = chance.choice(["*", 'W/"1"', '"', 'W/"', ",,,", 'W/"1", "2"', "x" * 3_000])
        return made

    def _recorded(self) -> Attack:
        step = self._chance.choice(RECORDED)
        body = step.body if step.body is None else self._mutated(step.body, 2)
        if step.method == "POST" and isinstance(body, dict) and self._chance.random() < 0.7:
            body |= {
                name: f"{self._chance.random()}" for name in ("userName", "displayName", "externalId") if name in body
            }
        return Attack(step.method, self._filled(step.path), self._bytes(body))

    def _patch(self) -> Attack:
        chance = self._chance
        operations = [
            {
                "op": chance.choice(["add", "replace", "remove", "Add", "Replace", "Remove", "move", 1]),
                "path": grammar.path(chance, self._id),
                "value": self._value(),
            }
            for _ in range(chance.randint(1, 3))
        ]
        for operation in operations:
            for name in ("path", "value"):
                if chance.random() < 0.2:
                    del operation[name]
        place = chance.choice(["/Users/", "/Groups/"]) + self._id()
        return Attack("PATCH", place, self._bytes(make.patch(*operations)))

    def _query(self) -> Attack:
        chance = self._chance
        asked: dict[str, Json] = {}
        if chance.random() < 0.8:
            asked["filter"] = grammar.filter_(chance, self._id)
        for name in ("count", "startIndex", "sortBy", "sortOrder", "attributes", "excludedAttributes", "cursor"):
            if chance.random() < 0.15:
                asked[name] = chance.choice([grammar.attribute(chance), "", "-1", "0", "3", "99999999999", *TEXTS])
        place = chance.choice(["/Users", "/Groups", "/"])
        if chance.random() < 0.3:
            body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **asked}
            return Attack("POST", f"{place.rstrip('/')}/.search", self._bytes(self._mutated(body, 1)))
        texts = (f"{name}={quote(str(value), errors='surrogatepass')}" for name, value in asked.items())
        return Attack("GET", f"{place}?{'&'.join(texts)}")

    def _bulk(self) -> Attack:
        chance = self._chance
        operations = [
            {
                "method": chance.choice(["POST", "PUT", "PATCH", "DELETE", "GET"]),
                "path": self._filled(chance.choice(RECORDED).path),
                "bulkId": chance.choice(["a", "b", "c", None, 1]),
                "data": self._mutated(chance.choice(RECORDED).body, 2),
            }
            for _ in range(chance.randint(0, 4))
        ]
        schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
        body = {"schemas": schemas, "Operations": operations, "failOnErrors": chance.choice([None, 1, 2, 0])}
        return Attack("POST", "/Bulk", self._bytes(self._mutated(body, 1)))

    def _raw(self) -> Attack:
        chance = self._chance
        body = chance.choice([*RAW, self._bytes(chance.choice(RECORDED).body)])
        if body and chance.random() < 0.6:
            at = chance.randrange(len(body))
            body = chance.choice(
                [body[:at], body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :], body[:at] * 2]
            )
        return Attack(chance.choice(["POST", "PUT", "PATCH"]), self._place(), body)

    def _path(self) -> Attack:
        return Attack(self._chance.choice(METHODS), self._place(), self._bytes({}))

    def _place(self) -> str:
        return self._chance.choice([*PATHS, f"/Users/{self._id()}", f"/Groups/{self._id()}"])

    def _id(self) -> str:
        return self._chance.choice(self._ids) if self._ids and self._chance.random() < 0.8 else "none"

    def _filled(self, path: str) -> str:
        while "{" in path:
            head, _, tail = path.partition("{")
            path = head + self._id() + tail.partition("}")[2]
        return path.replace("%7B", "").replace("%7D", "")

    def _value(self) -> Json:
        chance = self._chance
        found = [value for step in RECORDED if isinstance(step.body, dict) for value in step.body.values()]
        return chance.choice([*TEXTS, *SCALARS, {"value": self._id()}, [{"value": self._id()}], chance.choice(found)])

    def _mutated(self, value: Json, times: int) -> Json:
        """Return a copy of a value in which some places hold something else."""
        chance, value = self._chance, json.loads(json.dumps(value))
        for _ in range(chance.randint(0, times)):
            place, container = None, value
            while isinstance(container, (dict, list)) and container:
                place = chance.choice(list(container) if isinstance(container, dict) else range(len(container)))
                if chance.random() < 0.3 or not isinstance(container[place], (dict, list)):
                    break
                container = container[place]
            if place is None or not isinstance(container, (dict, list)) or not container:
                return self._value()
            self._change(container, place)
        return value

    def _change(self, container: Json, place: Json) -> None:
        chance = self._chance
        match chance.randrange(5):
            case 0:
                del container[place]
            case 1 if isinstance(container, dict):
                container[chance.choice([str(place).upper(), str(chance.choice(TEXTS)), grammar.attribute(chance)])] = (
                    container.pop(place)
                )
            case 2 if isinstance(container, list):
                container *= chance.choice([2, 50])
            case _:
                container[place] = self._value()

    def _bytes(self, value: Json) -> bytes:
        if value is None:
            return b""
        text = json.dumps(value, ensure_ascii=self._chance.random() < 0.5)
        for name in self._ids[:3]:
            text = text.replace("{user}", name)
        return text.encode(errors="surrogatepass")
