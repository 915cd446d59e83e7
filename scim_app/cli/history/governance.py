"""What the admins and reviewers of a made-up organization do: grants, owners, sign-ins, reviews, exceptions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import sqlalchemy as sa

from scim_app.cli.history.plan import SHARED_TEAMS
from scim_app.cli.history.steps import Does, Step
from scim_app.cli.opening import CLI
from scim_app.directory.events import Actor
from scim_app.directory.reviews import Decision, ReviewScope
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import grants, places
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.db.stamps import instant
from scim_app.store.lifecycle import teams
from scim_app.store.log.event_log import Unit
from scim_app.store.reviews import campaigns, exceptions, review_closing
from scim_app.store.reviews.campaigns import Item

_KEPT, _REVOKED = "needed for the work of the team", "left the department, access not needed any more"


class Governance:
    """Writes as admins, over the ids of people and teams that the directory's writer knows."""

    def __init__(self, org_id: str) -> None:
        self._org_id = org_id
        self._users: Mapping[int, str] = {}
        self._teams: Mapping[str, str] = {}
        self._granted: dict[tuple[str, str], str] = {}
        self._deployment: str | None = None
        self._campaign = ""

    def __call__(
        self, connection: sa.Connection, step: Step, users: Mapping[int, str], teams_by_name: Mapping[str, str]
    ) -> None:
        """Write one step."""
        self._users, self._teams = users, teams_by_name
        if step.who is None or step.who.number in users:
            self.WRITES[step.does](self, Unit.begin(connection, self._org_id, CLI), step)

    def _holder(self, step: Step) -> tuple[str, str]:
        return ("user", self._users[step.person.number]) if step.who else ("team", self._teams[str(step.team)])

    def _grant(self, unit: Unit, step: Step) -> None:
        if self._deployment is None:
            self._deployment = places.add_deployment(unit, "prod").id
        wide = step.detail["scope"] == "organization"
        scope = ORGANIZATION if wide else Scope(ScopeKind.DEPLOYMENT, self._deployment)
        holder, role = self._holder(step), Role(step.detail["role"])
        made = grants.grant(unit, *holder, role, scope, reason=step.detail.get("reason"))
        self._granted[holder[1], step.detail["scope"]] = made.grant_id

    def _revoke(self, unit: Unit, step: Step) -> None:
        grant_id = self._granted.pop((self._holder(step)[1], step.detail["scope"]), "")
        if any(one.grant_id == grant_id for one in grants.find(unit.connection, unit.org_id)):
            grants.revoke(unit, grant_id)

    def _own(self, unit: Unit, step: Step) -> None:
        teams.add_owner(unit, self._teams[str(step.team)], self._users[step.person.number])

    def _sign_in(self, unit: Unit, step: Step) -> None:
        user_id = self._users[step.person.number]
        unit.actor = Actor(name=user_id)
        sessions.start(unit, SessionKind.OIDC, user_id=user_id, name=step.person.user_name)

    def _open_review(self, unit: Unit, step: Step) -> None:
        admins = [one for one in grants.find(unit.connection, unit.org_id) if one.role is Role.ORGANIZATION_ADMIN]
        self._campaign = campaigns.open_campaign(
            unit,
            name=step.detail["name"],
            scope=ReviewScope.ORGANIZATION,
            due_at=instant(step.detail["due"]),
            reviewers=[one.holder_id for one in admins],
        ).id

    def _decide(self, unit: Unit, step: Step) -> None:
        """A share of what is undecided: team by team, those who left its department are taken out."""
        found = campaigns.items(unit.connection, unit.org_id, self._campaign)
        waiting = [one for one in found if one.decision is None]
        last = step.detail["share"] == 1 and not step.detail["complete"]
        stale = _stale(found)
        share = waiting[: max(1, round(len(waiting) * step.detail["share"])) - (6 if last else 0)]
        for reviewer in sorted({one.reviewer_id for one in share}):
            mine = [one for one in share if one.reviewer_id == reviewer]
            for decision, reason in ((Decision.KEEP, _KEPT), (Decision.REVOKE, _REVOKED)):
                ids = [one.id for one in mine if (one.id in stale) is (decision is Decision.REVOKE)]
                if ids:
                    campaigns.decide(unit, self._campaign, ids, decision, reason, reviewer_id=reviewer)

    def _close_review(self, unit: Unit, step: Step) -> None:
        review_closing.close(unit, self._campaign)

    def _carry_out(self, unit: Unit, step: Step) -> None:
        """What the identity provider's admin does of the tasks; some are left."""
        unit.actor = replace(CLI, idp="okta")
        found = campaigns.items(unit.connection, unit.org_id, self._campaign)
        tasks = [one for one in found if one.task and one.access.access_kind == "team"]
        for one in tasks[: len(tasks) - step.detail["leave"]]:
            teams.remove_member(unit, one.access.access_id, one.access.user_id)

    def _exception(self, unit: Unit, step: Step) -> None:
        exceptions.create(
            unit,
            control=step.detail["control"],
            subject_id=self._users[step.person.number],
            subject_name=step.person.user_name,
            owner="Head of Operations",
            reason="works through a service that signs in on their behalf",
            requested_by="Head of Operations",
            approved_by="Security Officer",
            expires_at=instant(step.detail["expires"]),
        )

    WRITES: ClassVar[dict[Does, Callable[["Governance", Unit, Step], None]]] = {
        Does.GRANT: _grant,
        Does.REVOKE: _revoke,
        Does.OWN: _own,
        Does.SIGN_IN: _sign_in,
        Does.OPEN_REVIEW: _open_review,
        Does.DECIDE: _decide,
        Does.CLOSE_REVIEW: _close_review,
        Does.CARRY_OUT: _carry_out,
        Does.EXCEPTION: _exception,
    }


def _stale(items: Sequence[Item]) -> set[int]:
    """Return the accesses that a reviewer takes away: teams beside the newest one, roles for an incident."""
    teams_of: dict[str, list[Item]] = {}
    for one in items:
        if one.access.access_kind == "team" and one.access.access_name not in SHARED_TEAMS:
            teams_of.setdefault(one.access.user_id, []).append(one)
    kept_too_long = {one.id for held in teams_of.values() for one in held[1:]}
    incidents = {one.id for one in items if one.access.access_kind == "role" and one.access.role == Role.ADMIN}
    return kept_too_long | incidents
