"""From stored rows to answers: the stored document is spliced with what the server owns, never rebuilt."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from scim2_models import Context

from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.protocol.wire import STORED
from scim_app.store.db import allowance
from scim_app.store.resources import members, team_names
from scim_app.store.resources.resources import Stored
from scim_app.store.resources.team_names import Teams
from scim_app.store.search.ranks import Listed


class Parameters(Protocol):
    """`attributes` and `excludedAttributes` of a request."""

    @property
    def attributes(self) -> Sequence[Any] | None:
        """What is wanted, all when None."""
        ...

    @property
    def excluded_attributes(self) -> Sequence[Any] | None:
        """What is left out."""
        ...


LIST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def location(base_url: str, kind: Kind, resource_id: str) -> str:
    """Return the address of a resource (`meta.location`)."""
    return f"{base_url}/{kind.endpoint}/{resource_id}"


def render(
    connection: sa.Connection,
    org_id: str,
    base_url: str,
    kind: Kind,
    rows: list[Stored],
    wanted: Parameters,
) -> list[str]:
    """Return resources as JSON, in order, with `meta` and with `groups` or `members` unless these are left out.

    Args:
        connection: an open transaction, the one that gave the rows.
        org_id: the organization that the rows belong to.
        base_url: SCIM base address of the organization.
        kind: kind of all the rows.
        rows: what is stored.
        wanted: `attributes` and `excludedAttributes` of the request.
    """
    derived = _derived(connection, org_id, base_url, kind, rows, wanted)
    return _shown(kind, _splice(base_url, kind, rows, [derived.get(row.id, "") for row in rows]), wanted)


def render_user(base_url: str, stored: Stored, teams: Teams, wanted: Parameters) -> str:
    """Return a user whose teams are known as `render` returns it."""
    groups = ",".join([_group(base_url, *team) for team in teams])
    (text,) = _shown(USER, _splice(base_url, USER, [stored], [f',"groups":[{groups}]' if groups else ""]), wanted)
    return text


def render_users(connection: sa.Connection, org_id: str, base_url: str, rows: list[Listed]) -> list[str]:
    """Return the users of a page as `render` returns them whole; many are in the same few teams, spelled once."""
    teams = team_names.ids_of(connection, org_id, [row[0] for row in rows])
    sets = set(teams.values())
    named = team_names.names_of(connection, org_id, {team for one in sets for team in one.split(" ")}) if sets else []
    spelled = {team: _group(base_url, team, name) for team, name in named}
    groups = {one: _groups(spelled, set(one.split(" "))) for one in sets}
    derived = [groups[teams[row[0]]] if row[0] in teams else "" for row in rows] if teams else [""] * len(rows)
    return _splice(base_url, USER, rows, derived)


def _groups(spelled: dict[str, str], mine: set[str]) -> str:
    found = ",".join([text for team, text in spelled.items() if team in mine])
    return f',"groups":[{found}]' if found else ""


def _splice(base_url: str, kind: Kind, rows: Iterable[tuple[Any, ...]], derived: Iterable[str]) -> list[str]:
    """Return stored documents with what the server owns: a row's key, times and version need no escaping."""
    head, place = f'{{"resourceType":"{kind.scim_name}","created":"', _json(location(base_url, kind, ""))[:-1]
    return [
        f'{document[:-1]}{more},"meta":{head}{created}","lastModified":"{updated}",'
        f'"location":{place}{key}","version":"W/\\"{version}\\""}}}}'
        for (key, _, version, _, created, updated, document), more in zip(rows, derived, strict=True)
    ]


def list_response(fields: dict[str, Any], resources: list[str]) -> bytes:
    """Return a ListResponse (RFC 7644 §3.4.2) of these fields around resources that are JSON already."""
    head = orjson.dumps({"schemas": [LIST_SCHEMA], **fields, "itemsPerPage": len(resources)})
    return b'%s,"Resources":[%s]}' % (head[:-1], ",".join(resources).encode())


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _derived(
    connection: sa.Connection, org_id: str, base_url: str, kind: Kind, rows: list[Stored], wanted: Parameters
) -> dict[str, str]:
    """Return, by id, the `groups` or `members` to splice in; nothing for resources that have none."""
    name = "groups" if kind is USER else "members"
    if not rows or not _is_wanted(wanted, name):
        return {}
    if kind is TEAM and not wanted.attributes:  # `display` is returned on request, all else the database spells
        base = _json(base_url)[1:-1]
        linked = [row.id for row in rows if row.origin == "scim"]
        texts = {team: members.to_json(connection, org_id, team, base) for team in linked}
        return {key: f',"members":[{text}]' for key, text in texts.items() if text}
    if kind is TEAM:
        found = {
            row.id: [member(base_url, one) for one in members.of_team(connection, org_id, row.id)]
            for row in rows
            if row.origin == "scim"  # a team that is not linked is shown as an external one, without members
        }
        return {key: f',"members":{_json(value)}' for key, value in found.items() if value}
    teams = team_names.teams_of(connection, org_id, [row.id for row in rows])
    # Many users are in the same few teams.
    spelled = {team: _group(base_url, *team) for team in {team for mine in teams.values() for team in mine}}
    return {user: f',"groups":[{",".join([spelled[team] for team in mine])}]' for user, mine in teams.items()}


def member(base_url: str, held: dict[str, Any]) -> dict[str, Any]:
    """Return a member of a team, as `members.of_team` has it, as it is shown: with an address that is whole."""
    return held | {"$ref": f"{base_url}/{held['$ref']}"} if "$ref" in held else held


def _group(base_url: str, team_id: str, name: str) -> str:
    place = location(base_url, TEAM, team_id)
    return _json({"value": team_id, "$ref": place, "display": name, "type": "direct"})


def _is_wanted(wanted: Parameters, name: str) -> bool:
    if wanted.attributes:
        return any(head == name for head in _heads(wanted.attributes))
    return name not in (str(path).rpartition(":")[2].lower() for path in wanted.excluded_attributes or ())


def _excludes_more_than(wanted: Parameters, name: str) -> bool:
    return any(str(path).lower() != name for path in wanted.excluded_attributes or ())


def _heads(paths: Iterable[Any]) -> Iterable[str]:
    return (str(path).rpartition(":")[2].partition(".")[0].lower() for path in paths)


def _shown(kind: Kind, whole: list[str], wanted: Parameters) -> list[str]:
    if not wanted.attributes and not _excludes_more_than(wanted, "members"):
        return whole
    return [_project(kind, text, wanted) for text in whole]


def _project(kind: Kind, text: str, wanted: Parameters) -> str:
    allowance.spend(0)  # many resources that the models read one by one may take longer than is allowed
    resource = kind.model.model_validate(orjson.loads(text), scim_policy=STORED)
    asked: Any = wanted
    return _json(resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=asked))
