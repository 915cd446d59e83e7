"""Who may become an active user: the seat limit, and the form of user names where the organization is strict."""

import sqlalchemy as sa
from scim2_models import InvalidValueException

from scim_app.directory.names import is_email_address
from scim_app.errors import Refused
from scim_app.store.db.tables import users
from scim_app.store.log.event_log import Unit


def seats_taken(connection: sa.Connection, org_id: str) -> int:
    """Return how many users are active."""
    query = sa.select(sa.func.count()).where(users.c.org_id == org_id, users.c.deleted_at.is_(None), users.c.active)
    return connection.execute(query).scalar_one()


def admit(unit: Unit, *, seat: bool, user_name: str | None = None) -> None:
    """Refuse another active user where every seat is taken, and a user name of another form where that is not allowed.

    Args:
        unit: the write.
        seat: whether a seat is needed.
        user_name: the new user name, None where it stays.

    Raises:
        Refused: when no seat is left; it says what to do.
        InvalidValueException: when the user name is not an e-mail address and the organization is strict.
    """
    limit = unit.rules.seat_limit
    if user_name is not None and unit.rules.user_name_policy == "strict" and not is_email_address(user_name):
        raise InvalidValueException(
            detail=f"userName {user_name!r} is not an e-mail address: set the application username format to Email"
        )
    if seat and limit is not None and seats_taken(unit.connection, unit.org_id) >= limit:
        raise Refused(f"the seat limit of {limit} is reached: deactivate an account, or raise the limit")
