"""Groups of the identity provider that ask for a team which gives power over others: an admin offers it, or not."""

from dataclasses import dataclass

import sqlalchemy as sa
from scim2_models import UniquenessException

from scim_app.directory.events import EventType
from scim_app.directory.failures import NOT_OFFERED
from scim_app.directory.kinds import TEAM
from scim_app.store.access import grants
from scim_app.store.db.tables import events
from scim_app.store.log.event_log import Unit
from scim_app.store.resources.lookup import Stored


class TeamNotOffered(UniquenessException):
    """A group asks for a team that no admin has offered for linking; carries the team's id."""

    def __init__(self, team_id: str, detail: str) -> None:
        super().__init__(detail=detail)
        self.team_id = team_id


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """The last refused request of an identity provider to link a team. `at` is ISO 8601 in UTC."""

    at: str
    idp: str | None
    request_id: str | None


def require_offered(unit: Unit, team: Stored) -> None:
    """Refuse to link a team that holds Admin or above anywhere, unless an admin offered it.

    Whoever holds a SCIM token decides who is in a linked team, so linking hands the team's roles over.

    Raises:
        TeamNotOffered: saying how the team is offered (409, `uniqueness`).
    """
    if team.origin != "local":
        return
    held = grants.find(unit.connection, unit.org_id, grants.of_holder(team.id))
    if privileged := [grant for grant in held if grant.role.privileged]:
        role = min((grant.role for grant in privileged), key=lambda role: role.rank)
        raise TeamNotOffered(
            team.id,
            f"team {team.load()[TEAM.unique]!r} exists and holds the role {role.words}: {NOT_OFFERED}. "
            "Open the team in the settings, choose Link to a group, then push the group again",
        )


def last_request(connection: sa.Connection, org_id: str, team_id: str) -> LinkRequest | None:
    """Return the last request to link a team that was refused since it was last offered or withdrawn; None without."""
    mine = (events.c.org_id == org_id) & (events.c.subject_id == team_id)
    settled = sa.select(sa.func.max(events.c.seq)).where(
        mine, events.c.type.in_([EventType.TEAM_OFFERED.value, EventType.TEAM_UNLINKED.value])
    )
    query = (
        sa.select(events.c.at, events.c.idp, events.c.request_id)
        .where(
            mine,
            events.c.type == EventType.WRITE_REJECTED.value,
            events.c.detail.contains(NOT_OFFERED, autoescape=True),
            events.c.seq > sa.func.coalesce(settled.scalar_subquery(), 0),
        )
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return LinkRequest(*row) if row else None
