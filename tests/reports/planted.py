"""Organizations whose logs are written by hand, event by event, and the warehouse that takes them in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson

from dagster_defs import incremental
from dagster_defs.assets import access, changes, events, history, reviews, snapshots, sync_health
from dagster_defs.calendar import CALENDAR
from dagster_defs.evidence.periods import Zones
from dagster_defs.incremental import COPY, Mark
from dagster_defs.warehouse import kept
from scim_app.directory.events import GENESIS, chain_hash
from scim_app.directory.thresholds import DEFAULTS
from scim_app.store.export.columns import EVENT_COLUMNS

PLAIN = "viewer"


def moment(text: str) -> datetime:
    """A moment (UTC, naive) from `2026-07-01` or `2026-07-01T12:00`."""
    return datetime.fromisoformat(text)


@dataclass
class Org:
    """An organization and what happened in it."""

    slug: str
    zone: str = "UTC"
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    tokens: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    campaigns: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    items: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    exceptions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self.add("organization.created", "2025-01-01", self.slug, {"attributes": {"time_zone": self.was(None)}})

    def was(self, before: Any) -> dict[str, Any]:
        """A change of the zone, as an event describes it."""
        return {"before": before, "after": self.zone}

    def add(self, type_: str, at: str, subject: str, change: Any = None, document: Any = None, **told: Any) -> int:
        """Note an event and return its number; events are in the order of their moments when the log is taken in."""
        kind = {"role": "grant", "settings": "organization", "write": "user"}.get(
            type_.split(".")[0], type_.split(".")[0]
        )
        texts = {
            "change": None if change is None else orjson.dumps(change).decode(),
            "document": None if document is None else orjson.dumps(document).decode(),
        }
        common = {"type": type_, "at": moment(at), "subject_kind": kind, "subject_id": subject, "subject_name": subject}
        empty = dict.fromkeys(column.name for column in (*EVENT_COLUMNS, *events.PROVISIONING_EVENTS.columns))
        self.events.append({**empty, "actor": "token", "idp": "okta", **common, **texts, **told})
        return len(self.events)

    def user(self, at: str, name: str, type_: str = "created", *, origin: str = "scim", **told: Any) -> None:
        """A user is created, changed, deactivated …; its id is its name, without what follows a `/`."""
        active = told.pop("active", True)
        document = {"userName": name.partition("/")[2] or name, "active": active}
        self.add(
            f"user.{type_}", at, name.partition("/")[0], {"origin": origin, **told.pop("change", {})}, document, **told
        )

    def deleted(self, at: str, name: str) -> None:
        self.add("user.deleted", at, name)

    def team(
        self, at: str, name: str, added: Sequence[str] = (), removed: Sequence[str] = (), actor: str = "token"
    ) -> None:
        members = {"added": list(added), "removed": list(removed)}
        self.add("team.updated", at, name, {"members": members}, {"displayName": name}, actor=actor)

    def grant(
        self,
        at: str,
        grant: str,
        holder: str,
        role: str = "admin",
        *,
        by: str = "root",
        reason: str | None = "asked for",
    ) -> None:
        """A role is granted to `user:NAME` or `team:NAME`."""
        kind, _, name = holder.partition(":")
        told = {"grant_id": grant, "holder_kind": kind, "holder_id": name, "role": role, "reason": reason}
        where = {"scope_kind": "organization", "scope_id": None}
        self.add("role.granted", at, grant, {"grant": told | where}, actor=by, idp=None)

    def revoke(self, at: str, grant: str) -> None:
        self.add("role.revoked", at, grant, {"grant": {"grant_id": grant}}, idp=None)

    def asked(self, at: str, name: str) -> None:
        """The identity provider asks to end an account, and is refused."""
        request = {"request": {"Operations": [{"op": "replace", "path": "active", "value": False}]}}
        self.add("write.rejected", at, name, request, method="PATCH", status=400, asked_to_leave=True)

    def set(self, at: str, name: str, before: Any, after: Any) -> None:
        self.add(
            "settings.changed", at, self.slug, {"attributes": {name: {"before": before, "after": after}}}, idp=None
        )

    def token(self, at: str, name: str, *, expires: str, revoked: str | None = None) -> None:
        """A token is made; it is used by events whose actor it is."""
        self.add("token.created", at, name, idp=None)
        if revoked:
            self.add("token.revoked", revoked, name, idp=None)
        row = {"token_id": name, "description": name, "idp": "okta", "created_at": moment(at), "created_by": "root"}
        ends = {"expires_at": moment(expires), "revoked_at": moment(revoked) if revoked else None}
        self.tokens.append({**row, **ends, "last_used_at": None})

    def review(self, name: str, opened: str, closed: str | None, decisions: Sequence[Mapping[str, Any]] = ()) -> None:
        """An access review of the organization; a decision is `user`, `at`, `by`, `decision` (none where undecided)."""
        self.add("campaign.opened", opened, f"{self.slug}-{name}", idp=None)
        if closed:
            self.add("campaign.closed", closed, f"{self.slug}-{name}", idp=None)
        row = {column.name: None for column in reviews.CAMPAIGNS.columns}
        told = {
            "campaign_id": f"{self.slug}-{name}",
            "name": name,
            "scope": "organization",
            "opened_at": moment(opened),
        }
        row |= told | {"due_at": moment(opened), "items": len(decisions), "as_of_event": 1}
        self.campaigns.append({**row, "closed_at": moment(closed) if closed else None})
        for number, one in enumerate(decisions):
            item = {column.name: None for column in reviews.REVIEW_ITEMS.columns}
            item |= {
                "campaign_id": f"{self.slug}-{name}",
                "item_id": number,
                "user_id": one["user"],
                "user_name": one["user"],
            }
            item |= {"access_kind": one.get("kind", "account"), "access_id": one.get("access", one["user"])}
            item |= {"access_name": "the account", "privileged": False, "reviewer_id": one.get("by")}
            if one.get("decision"):
                item |= {"decision": one["decision"], "decided_by": one["by"], "decided_at": moment(one["at"])}
            self.items.append(item)

    def excuse(
        self,
        name: str,
        control: str,
        subject: str,
        created: str,
        expires: str,
        *,
        ended: str | None = None,
        by: str = "cfo",
    ) -> None:
        """An exception that was asked for by `boss` and allowed by another."""
        row = {
            "exception_id": f"{self.slug}-{name}",
            "control": control,
            "subject_id": subject,
            "subject_name": subject,
            "owner": "boss",
        }
        row |= {"reason": "old system", "requested_by": "boss", "approved_by": by, "created_at": moment(created)}
        self.exceptions.append({**row, "expires_at": moment(expires), "ended_at": moment(ended) if ended else None})

    def zones(self) -> Zones:
        """The zones it has had."""
        told = [
            (event["at"], orjson.loads(event["change"])) for event in self.events if event["type"] == "settings.changed"
        ]
        later = [
            (at, change["attributes"]["time_zone"]["after"])
            for at, change in sorted(told, key=lambda one: one[0])
            if "time_zone" in change["attributes"]
        ]
        return Zones((*Zones.of(self.zone).spans, *later))

    def log(self) -> list[dict[str, Any]]:
        """Its events in order, numbered and chained."""
        ordered = sorted(self.events, key=lambda event: event["at"])
        previous, rows = GENESIS, list[dict[str, Any]]()
        for seq, event in enumerate(ordered, 1):
            known = {"org_id": self.slug, "log_epoch": "epoch", "seq": seq, "id": f"{self.slug}-{seq}"}
            row = {**event, **known, "at": f"{event['at']:%Y-%m-%dT%H:%M:%S.%f}Z"}
            row |= {"prev_hash": previous, "hash": chain_hash(previous, row)}
            rows.append({**row, "occurred_at": event["at"], "org": self.slug, "day": self.zones().day_of(event["at"])})
            previous = row["hash"]
        return rows


def take_in(path: Path, orgs: Sequence[Org], day: date) -> None:
    """Write the warehouse of organizations, with the snapshots of a day."""
    with duckdb.connect(str(path)) as connection:
        for table in (events.PROVISIONING_EVENTS, events.ORGANIZATIONS, CALENDAR):
            table.make(connection)
        for org in orgs:
            _take_in(connection, org, day)
        for carry in (history.carry, sync_health.carry, changes.carry, changes.carry_gone):
            carry(connection)
        snapshots.make_views(connection)


def _take_in(connection: duckdb.DuckDBPyConnection, org: Org, day: date) -> None:
    rows, zones = org.log(), org.zones()
    head = rows[-1]["seq"]
    cut = max(row["seq"] for row in rows if row["day"] <= day)
    known = {"org": org.slug, "org_id": org.slug, "name": org.slug.title(), "time_zone": zones.spans[-1][1]}
    known |= {"log_epoch": "epoch", "seq": head, **DEFAULTS}
    empty = {column.name: None for column in events.ORGANIZATIONS.columns}
    days = zones.days(rows[0]["day"], day + timedelta(days=30))
    with kept(connection):
        events.PROVISIONING_EVENTS.append(connection, rows)
        incremental.save(connection, COPY, Mark(org.slug, org.slug, "epoch", head))
        events.ORGANIZATIONS.append(connection, [{**empty, **known}])
        CALENDAR.append(
            connection,
            [{"org": org.slug, "day": one, "begins_at": begins, "ends_at": ends} for one, begins, ends in days],
        )
        snapshots.CUTS.append(connection, [{"day": day, "org": org.slug, "seq": cut}])
        access.TOKENS.append(connection, [{"day": day, "org": org.slug, "seq": cut, **row} for row in org.tokens])
        for table, told in (
            (reviews.CAMPAIGNS, org.campaigns),
            (reviews.REVIEW_ITEMS, org.items),
            (reviews.CONTROL_EXCEPTIONS, org.exceptions),
        ):
            table.append(connection, [{**row, "org": org.slug} for row in told])
