"""The last events of one subject, as its page shows them."""

from typing import Any

import sqlalchemy as sa

from scim_app.admin.happenings import told
from scim_app.store.views.event_list import EventQuery, list_events

SHOWN = 25


def timeline(db: sa.Connection, org_id: str, subject_id: str) -> dict[str, Any]:
    """Return the newest events about a subject, and whether there are more."""
    rows = list_events(db, org_id, EventQuery(subject=subject_id), limit=SHOWN + 1)
    return {"events": told(db, org_id, rows[:SHOWN]), "more_events": len(rows) > SHOWN}
