"""What a refused request comes to: whoever it tells to leave has left, and the refusal is remembered."""

from dataclasses import replace

from scim2_models import SCIMException

from scim_app.directory.kinds import USER, is_active
from scim_app.directory.membership import MemberDelta
from scim_app.protocol.calls import Call
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources


def end_access(unit: Unit, call: Call) -> bool:
    """End the access of the user whom a request tells to leave, and return whether that changed anything.

    Nothing else in the request counts, not even its conditions (RFC 7644 §3.14); but it has to be the request of an
    identity provider that provisions this organization now.
    """
    if not (call.leaving and unit.rules.token_stands and unit.rules.scim_enabled):
        return False
    stored = resources.find(unit.connection, unit.org_id, USER, call.resource_id)
    if stored is None or not is_active(stored.load()):
        return False
    unit.actor = call.actor
    inactive = {**stored.load(), "active": False}
    writes.change(unit, USER, stored, lambda *_: (inactive, MemberDelta()), leaving=True)
    return True


def remember(unit: Unit, call: Call, error: SCIMException) -> None:
    """Record a refused write, which is a sync failure; whoever it tells to leave has left before."""
    ended = end_access(unit, call)
    event = call.refusal(error, unit)
    unit.actor = call.actor
    unit.record(replace(event, detail=f"{event.detail}; access ended all the same") if ended else event)
