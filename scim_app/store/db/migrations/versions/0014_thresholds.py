"""Thresholds of reports are settings of the organization; each log tells the values of the present, once."""

import orjson
import sqlalchemy as sa
from alembic import op

from scim_app.directory.events import CHAINED, chain_hash
from scim_app.store.db.stamps import new_id, now

revision = "0014"
down_revision = "0013"

THRESHOLDS = {
    "dormant_days": 90,
    "review_days": 92,
    "grace_days": 7,
    "rubber_stamp_seconds": 2,
    "rubber_stamp_least": 20,
}
SLA = "deprovision_sla_seconds"

_ORGANIZATIONS = f"SELECT id, slug, log_epoch, last_seq, head_hash, head_at, {SLA} AS sla FROM organizations"
_TOLD = f"""
    SELECT 1 FROM events WHERE org_id = :id AND type IN ('organization.created', 'settings.changed')
        AND change LIKE '%"{SLA}"%'
"""
_INSERT = f"""
    INSERT INTO events ({", ".join(CHAINED)}, prev_hash, hash)
    VALUES ({", ".join(f":{name}" for name in (*CHAINED, "prev_hash", "hash"))})
"""
_MOVE_HEAD = "UPDATE organizations SET last_seq = :seq, head_hash = :hash, head_at = :at WHERE id = :org_id"


def upgrade() -> None:
    for name, value in THRESHOLDS.items():
        op.add_column("organizations", sa.Column(name, sa.Integer, nullable=False, server_default=str(value)))
    connection = op.get_bind()
    for organization in connection.execute(sa.text(_ORGANIZATIONS)).mappings().all():
        # Thresholds were files of the operator before, which have no history.
        changed = {name: {"before": None, "after": value} for name, value in THRESHOLDS.items()}
        if not connection.execute(sa.text(_TOLD), {"id": organization["id"]}).first():
            # Each change of the agreement has always been an event, so it was never changed.
            changed[SLA] = {"before": organization["sla"], "after": organization["sla"]}
        _record(connection, organization, changed)


def _record(connection: sa.Connection, organization: sa.RowMapping, changed: dict[str, dict[str, int | None]]) -> None:
    """Append the event of the values; the table is locked since it got its columns."""
    row = dict.fromkeys(CHAINED) | {
        "org_id": organization["id"],
        "log_epoch": organization["log_epoch"],
        "seq": organization["last_seq"] + 1,
        "id": new_id(),
        "type": "settings.changed",
        "at": max(now(), organization["head_at"]),
        "subject_kind": "organization",
        "subject_id": organization["id"],
        "subject_name": organization["slug"],
        "actor": "cli",
        "detail": "recorded by the upgrade",
        "change": orjson.dumps({"attributes": changed}).decode(),
    }
    hashes = {"prev_hash": organization["head_hash"], "hash": chain_hash(organization["head_hash"], row)}
    connection.execute(sa.text(_INSERT), row | hashes)
    connection.execute(sa.text(_MOVE_HEAD), row | hashes)


def downgrade() -> None:
    for name in THRESHOLDS:
        op.drop_column("organizations", name)
