"""The register of exceptions from controls: who answers for each, why, until when, and who allowed it."""

from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa

from scim_app.directory.controls import TESTS
from scim_app.directory.events import Event, EventType
from scim_app.errors import Conflict, NotFound
from scim_app.store.db.review_tables import exceptions
from scim_app.store.db.stamps import new_id
from scim_app.store.log.event_log import Unit


@dataclass(frozen=True, slots=True)
class ControlException:
    """An exception. Times are ISO 8601 in UTC."""

    id: str
    control: str
    subject_id: str
    subject_name: str
    owner: str
    reason: str
    requested_by: str
    approved_by: str
    created_at: str
    expires_at: str
    ended_at: str | None = None
    ended_by: str | None = None


_COLUMNS = [exceptions.c[field.name] for field in fields(ControlException)]


def create(
    unit: Unit,
    *,
    control: str,
    subject_id: str,
    subject_name: str,
    owner: str,
    reason: str,
    requested_by: str,
    approved_by: str,
    expires_at: str,
) -> ControlException:
    """Allow an exception for one account, team or token, and return it.

    Raises:
        ValueError: when there is no such control, no reason, the approver asked for it, or it has run out already.
    """
    if control not in TESTS:
        raise ValueError(f"there is no control test {control!r}; there are: {', '.join(TESTS)}")
    if not reason.strip() or not owner.strip():
        raise ValueError("an exception needs an owner and a reason: the auditor reads them")
    if requested_by.strip().casefold() == approved_by.strip().casefold():
        raise ValueError("who asks for an exception can't approve it: name another approver")
    if expires_at <= unit.at:
        raise ValueError(f"the exception would have run out at {expires_at[:16]} UTC: choose a later day")
    made = ControlException(
        id=new_id(),
        control=control,
        subject_id=subject_id,
        subject_name=subject_name,
        owner=owner.strip(),
        reason=reason.strip(),
        requested_by=requested_by,
        approved_by=approved_by,
        created_at=unit.at,
        expires_at=expires_at,
    )
    unit.record(_event(EventType.EXCEPTION_CREATED, made))
    unit.connection.execute(sa.insert(exceptions), {"org_id": unit.org_id, **asdict(made)})
    return made


def end(unit: Unit, exception_id: str) -> None:
    """End an exception before its time.

    Raises:
        NotFound: when there is none.
        Conflict: when it was ended already.
    """
    held = next((one for one in listing(unit.connection, unit.org_id) if one.id == exception_id), None)
    if held is None:
        raise NotFound(f"there is no exception {exception_id!r}; `dagster-scim exception list` shows those there are")
    if held.ended_at is not None:
        raise Conflict(f"the exception was ended at {held.ended_at[:16]} UTC")
    unit.record(_event(EventType.EXCEPTION_ENDED, held))
    mine = (exceptions.c.org_id == unit.org_id) & (exceptions.c.id == exception_id)
    unit.connection.execute(sa.update(exceptions).where(mine).values(ended_at=unit.at, ended_by=unit.actor.name))


def listing(connection: sa.Connection, org_id: str) -> list[ControlException]:
    """Return an organization's exceptions, the newest first."""
    query = sa.select(*_COLUMNS).where(exceptions.c.org_id == org_id).order_by(exceptions.c.created_at.desc())
    return [ControlException(*row) for row in connection.execute(query)]


def _event(kind: EventType, one: ControlException) -> Event:
    told = {name: value for name, value in asdict(one).items() if value is not None}
    return Event(
        type=kind,
        subject_kind="exception",
        subject_id=one.id,
        subject_name=f"{one.control}: {one.subject_name}",
        change={"exception": told},
    )
