"""From a replayed state to the rows that reports are made of (columns in `exported`)."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from scim_app.directory.access import (
    Access,
    Places,
    applying,
    code_location_place,
    deployment_place,
    effective_access,
)
from scim_app.directory.kinds import TEAM, USER, Kind, is_active
from scim_app.directory.names import sign_in_address
from scim_app.directory.replay import Record, State
from scim_app.directory.roles import Grant, Role, Scope

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An organization as it stood after event `seq`. The rows have the columns that `exported` declares."""

    seq: int
    users: list[Row]
    """One row per account (`USER_COLUMNS`)."""
    teams: list[Row]
    """One row per team (`TEAM_COLUMNS`)."""
    team_members: list[Row]
    """One row per membership (`TEAM_MEMBER_COLUMNS`)."""
    role_grants: list[Row]
    """One row per role that a user or team holds somewhere (`ROLE_GRANT_COLUMNS`)."""
    effective_access: list[Row]
    """One row per active account and scope where it has a role of its own (`EFFECTIVE_ACCESS_COLUMNS`)."""
    settings: Row
    """`scim_enabled`, `default_role`, `seat_limit`, `user_name_policy`, and the thresholds."""


def as_rows(state: State) -> Snapshot:
    """Return a state as rows, each list in the order of its ids."""
    memberships = [
        {"team_id": team, "user_id": user, "since": m.since, "pending": user not in state.users, "origin": m.origin}
        for team, members in sorted(state.members.items())
        for user, m in sorted(members.items())
    ]
    places = places_of(state)
    return Snapshot(
        seq=state.seq,
        users=[_row(USER, key, record) for key, record in sorted(state.users.items())],
        teams=[_row(TEAM, key, record) for key, record in sorted(state.teams.items())],
        team_members=memberships,
        role_grants=[_grant_row(state, places, grant) for _, grant in sorted(state.grants.items())],
        effective_access=_access_rows(state, places),
        settings=dict(state.settings),
    )


def places_of(state: State) -> Places:
    """Return the deployments and code locations of a state."""
    deployed = {key: deployment_place(key, row["name"], row["kind"]) for key, row in state.deployments.items()}
    located = [
        code_location_place(key, row["name"], deployed[row["deployment_id"]])
        for key, row in state.code_locations.items()
        if row["deployment_id"] in deployed
    ]
    return Places({place.scope: place for place in (*deployed.values(), *located)})


def _row(kind: Kind, key: str, record: Record) -> Row:
    columns = kind.columns(record.document)
    row = {f"{kind.name}_id": key, **columns, "origin": record.origin, "idp": record.idp}
    row |= {"created_at": record.created_at, "updated_at": record.updated_at}
    if kind is USER:
        row["sign_in_address"] = sign_in_address(columns["user_name"] or "", columns["email"])
        row["deactivated_at"] = record.deactivated_at
    return row


def _grant_row(state: State, places: Places, grant: Grant) -> Row:
    return {
        **{name: getattr(grant, name) for name in ("grant_id", "holder_kind", "holder_id")},
        "holder_name": _name(state, grant.holder_kind, grant.holder_id),
        "role": grant.role.value,
        **_scope(places, grant.scope),
        **{name: getattr(grant, name) for name in ("granted_at", "granted_by", "reason")},
    }


def _access_rows(state: State, places: Places) -> list[Row]:
    teams: dict[str, list[str]] = defaultdict(list)
    granted = {grant.holder_id for grant in state.grants.values() if grant.holder_kind == "team"}
    for team_id in granted & state.members.keys():
        for member in state.members[team_id]:
            teams[member].append(team_id)
    by_holder: dict[str, list[Grant]] = defaultdict(list)
    for grant in state.grants.values():
        by_holder[grant.holder_id].append(grant)
    default = Role(state.settings["default_role"])
    return [
        _access_row(state, places, user_id, access)
        for user_id, record in sorted(state.users.items())
        if is_active(record.document)
        for access in effective_access(
            applying((g for holder in (user_id, *teams[user_id]) for g in by_holder[holder]), user_id, teams[user_id]),
            default,
            places,
        )
    ]


def _access_row(state: State, places: Places, user_id: str, access: Access) -> Row:
    return {
        "user_id": user_id,
        "user_name": _name(state, "user", user_id),
        **_scope(places, access.scope),
        "role": access.role.value,
        "source": access.source,
        "source_id": access.source_id,
        "source_name": _name(state, access.source, access.source_id),
        "privileged": access.role.privileged,
    }


def _scope(places: Places, scope: Scope) -> Row:
    return {"scope_kind": scope.kind.value, "scope_id": scope.id, "scope_name": places.name(scope)}


def _name(state: State, kind: str, key: str | None) -> str | None:
    kinds = {"user": (state.users, USER), "team": (state.teams, TEAM)}
    if kind not in kinds or key is None or key not in kinds[kind][0]:
        return None
    records, known = kinds[kind]
    return records[key].document.get(known.unique)
