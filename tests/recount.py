"""A recount of the year from its event log in plain Python: written apart from the SQL that it is compared with."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SLA_SECONDS = 86400


def moment(event: dict[str, Any]) -> datetime:
    """When an event happened, as the warehouse has moments."""
    return datetime.fromisoformat(event["occurred_at"]).replace(tzinfo=None)


@dataclass
class Recount:
    """What happened to whom."""

    active: dict[str, int] = field(default_factory=dict[str, int])
    """Active account → event since when."""
    known: set[str] = field(default_factory=set[str])
    names: dict[str, str] = field(default_factory=dict[str, str])
    members: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    asked: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """Active account → when its end was first asked for and refused."""
    joined: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    left: list[tuple[int, str, int, bool]] = field(default_factory=list[tuple[int, str, int, bool]])
    """Event, account, seconds from asked to ended, in time."""
    refused: int = 0
    grants: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def take(self, event: dict[str, Any]) -> None:
        """Count an event."""
        kind, change = event["type"], event["change"] or {}
        if kind == "write.rejected":
            self.refused += 1
            if "'active': False" in str(change) or "'value': False" in str(change):
                self.asked.setdefault(event["subject_id"], moment(event))
        elif event["subject_kind"] == "user":
            self._user(event)
        elif event["subject_kind"] == "team":
            team = self.members[event["subject_id"]]
            team |= set(change.get("members", {}).get("added", ()))
            team -= set(change.get("members", {}).get("removed", ()))
        elif kind == "role.granted":
            self.grants[event["subject_id"]] = change["grant"]
        elif kind == "role.revoked":
            del self.grants[event["subject_id"]]

    def _user(self, event: dict[str, Any]) -> None:
        user, gone = event["subject_id"], event["type"] == "user.deleted"
        stays = not gone and event["document"].get("active") is not False
        self.names[user] = event["subject_name"]
        if stays and user not in self.active:
            self.active[user] = event["seq"]
            self.asked.pop(user, None)
            self.joined.append((event["seq"], "reactivated" if user in self.known else "created"))
        elif not stays and user in self.active:
            since = self.asked.pop(user, moment(event))
            seconds = int((moment(event) - since).total_seconds())
            self.left.append((event["seq"], self.names[user], seconds, seconds <= SLA_SECONDS))
            del self.active[user]
        self.known.add(user)
        if gone:
            self.known.discard(user)
            for team in self.members.values():
                team.discard(user)

    def memberships(self) -> set[tuple[str, str]]:
        """The memberships of active accounts."""
        return {(team, user) for team, users in self.members.items() for user in users if user in self.active}


def recount(log: list[dict[str, Any]]) -> Recount:
    """Count a log."""
    counted = Recount()
    for event in log:
        counted.take(event)
    return counted
