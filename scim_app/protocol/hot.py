"""The questions that identity providers ask all day, answered by one indexed look-up without the library's models.

One resource by id, a look-up by a unique attribute, a page of a list: recognised in the exact forms that clients
send. Everything else is read by the library; a test holds the two answers equal.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import sqlalchemy as sa
from starlette.types import Scope

from scim_app.directory.kinds import ENDPOINTS, USER, Kind
from scim_app.directory.names import composed, fold, lower
from scim_app.protocol import encode
from scim_app.protocol.calls import Reply
from scim_app.protocol.filter_limits import FILTER_BYTES
from scim_app.protocol.wire import PAGE_LIMIT
from scim_app.store.credentials.tokens import Caller
from scim_app.store.resources import emails, lookup, team_names, team_size
from scim_app.store.resources.lookup import Stored
from scim_app.store.search import ranks
from scim_app.store.search.pages import Place
from scim_app.store.search.walks import Step, Walks

_EQUALS = re.compile(r'([A-Za-z]+) [eE][qQ] "([^"\\\x00-\x1f\x7f]+)"')
_EMAIL = re.compile(
    r'emails(?:\.value|\[type eq "(\w+)"(?:\]\.value| and value))? eq "([^"\\\x00-\x1f\x7f]+)"(\])?', re.IGNORECASE
)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_KNOWN = frozenset({"filter", "startIndex", "count", "excludedAttributes"})
MANY_MEMBERS = 2_000
"""Members that are told within about a millisecond."""
_CONDITIONAL = frozenset({b"if-match", b"if-none-match"})


class Wanted(NamedTuple):
    """What a hot answer leaves out."""

    excluded_attributes: tuple[str, ...] | None = None
    attributes: None = None


WHOLE, WITHOUT_MEMBERS = Wanted(), Wanted(("members",))


@dataclass(frozen=True, slots=True)
class Question:
    """A recognised request: one resource (`column` is `id`, not listed), a look-up, or a page (no column)."""

    kind: Kind
    listed: bool
    column: str | None = None
    value: str = ""
    start: int = 1
    count: int = PAGE_LIMIT
    wanted: Wanted = WHOLE
    email_type: str | None = None
    """Which of the addresses is compared, all where `column` is `email` and this is None."""


def read(scope: Scope, path: str) -> Question | None:
    """Return what a request asks, None when the library has to read it."""
    endpoint, slash, resource_id = path[1:].partition("/")
    kind = ENDPOINTS.get(endpoint)
    if kind is None or scope["method"] != "GET":
        return None
    if any(name in _CONDITIONAL for name, _ in scope["headers"]):
        return None
    asked = _asked(scope["query_string"])
    if asked is None:
        return None
    wanted = WHOLE
    if "excludedAttributes" in asked:
        if asked["excludedAttributes"] != "members" or kind.scim_name != "Group":
            return None
        wanted = WITHOUT_MEMBERS
    if not slash:
        return _list_question(kind, asked, wanted)
    if "/" in resource_id or not resource_id or resource_id == ".search" or asked.keys() - {"excludedAttributes"}:
        return None
    return Question(kind, False, "id", resource_id, wanted=wanted)


def _asked(query: bytes) -> dict[str, str] | None:
    """Return the parameters of a query, None where the library has to read it; as `parse_qsl` reads them, sooner."""
    if not query:
        return {}
    if not query.isascii():
        return None
    pairs = [pair.split(b"=", 1) for pair in query.replace(b"+", b" ").split(b"&")]
    if any(len(pair) != 2 for pair in pairs):
        return None
    found = {name.decode(): unquote_to_bytes(value).decode("utf-8", "replace") for name, value in pairs}
    return found if len(found) == len(pairs) and _KNOWN.issuperset(found) else None


def _list_question(kind: Kind, asked: dict[str, str], wanted: Wanted) -> Question | None:
    start, count = asked.get("startIndex", "1"), asked.get("count", str(PAGE_LIMIT))
    if not _NUMBER.fullmatch(start) or not _NUMBER.fullmatch(count):
        return None
    size = min(int(count), PAGE_LIMIT)
    if "filter" not in asked:
        return Question(kind, True, None, "", int(start), size, wanted)
    text = asked["filter"]
    if start != "1" or len(text) > FILTER_BYTES // 4:
        return None
    found = _EQUALS.fullmatch(text)
    if found is None:
        return _email_question(text, size, wanted) if kind is USER else None
    name, value = found[1].lower(), found[2]
    if name == kind.unique.lower():
        return Question(kind, True, "name_key", fold(value), 1, size, wanted)
    column = {"id": "id", "externalid": "external_id"}.get(name)
    return Question(kind, True, column, composed(value), 1, size, wanted) if column else None


def _email_question(text: str, size: int, wanted: Wanted) -> Question | None:
    """Return a look-up by e-mail address, in the forms of Okta, Entra ID and JumpCloud."""
    found = _EMAIL.fullmatch(text)
    if found is None or (found[3] is not None) != (" and " in text[: found.start(2)].lower()):
        return None
    return Question(USER, True, "email", lower(found[2]), 1, size, wanted, found[1] and found[1].lower())


def answer(connection: sa.Connection, caller: Caller, base_url: str, question: Question, walks: Walks) -> Reply | None:
    """Return the answer to a question, None when the library has to say why there is none."""
    kind, org_id = question.kind, caller.org_id
    if question.column is None:
        step = Step(org_id, caller.token_id, kind.name, question.start)
        place = walks.behind(step, attrgetter("position"))
        total, rows = ranks.page(connection, org_id, kind, step.start, question.count, place and place.position)
        if rows and (after := step.start + len(rows)) <= total:
            walks.remember(step._replace(start=after), Place(None, rows[-1][1]))
        if kind is USER:
            return _listed(question, total, encode.render_users(connection, org_id, base_url, rows))
        teams = [Stored(*row) for row in rows]
        if _is_long(connection, org_id, question, teams):
            return None
        return _listed(question, total, encode.render(connection, org_id, base_url, kind, teams, question.wanted))
    if question.column == "email":
        may = emails.find(connection, org_id, question.value, question.count + 1)
        if len(may) > question.count:
            return None
        having = [one for one in may if _has_email(one, question)]
        rendered = encode.render(connection, org_id, base_url, kind, having, question.wanted)
        return _listed(question, len(having), rendered)
    return _answer_of_one(connection, org_id, base_url, question, question.column)


def _answer_of_one(
    connection: sa.Connection, org_id: str, base_url: str, question: Question, column: str
) -> Reply | None:
    """Return the answer about the one resource that has a value in a column."""
    kind, value = question.kind, question.value
    if kind is USER:
        seen = team_names.find_with_teams(connection, org_id, column, value)
        stored, rendered = (seen[0], [encode.render_user(base_url, *seen, question.wanted)]) if seen else (None, [])
    else:
        stored = lookup.find_by(connection, org_id, kind, column, value)
        found = [stored] if stored else []
        if _is_long(connection, org_id, question, found):
            return None
        rendered = encode.render(connection, org_id, base_url, kind, found, question.wanted)
    if question.listed:
        return _listed(question, len(rendered), rendered)
    if stored is None:
        raise lookup.not_found(kind, value)
    headers = {"ETag": stored.etag, "Content-Location": encode.location(base_url, kind, stored.id)}
    return Reply(HTTPStatus.OK, rendered[0].encode(), headers)


def _is_long(connection: sa.Connection, org_id: str, question: Question, found: list[Stored]) -> bool:
    """Tell whether an answer would list so many members that nobody else should wait for it: it is made elsewhere."""
    if question.kind is USER or question.wanted is WITHOUT_MEMBERS:
        return False
    return sum(team_size.of(connection, org_id, one.id) for one in found) > MANY_MEMBERS


def _has_email(stored: Stored, question: Question) -> bool:
    kind = question.email_type
    return any(
        lower(str(one.get("value"))) == question.value and kind in (None, str(one.get("type")).lower())
        for one in stored.load().get("emails") or ()
    )


def _listed(question: Question, total: int, resources: list[str]) -> Reply:
    fields = {"totalResults": total, "startIndex": question.start}
    return Reply(HTTPStatus.OK, encode.list_response(fields, resources))
