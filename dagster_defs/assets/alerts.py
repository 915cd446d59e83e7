"""Telling people: each finding once to each channel, with a ledger of what was told."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs import alerting
from dagster_defs.alerting import Finding
from dagster_defs.assets.changes import DEPROVISIONED_ACCOUNTS
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.assets.sync_health import SYNC_FAILURES
from dagster_defs.resources import AlertChannels
from dagster_defs.warehouse import Table, transaction
from scim_app.store.exported import Column

ALERT_DELIVERIES = Table(
    "alert_deliveries",
    (
        Column("finding", "text", "Id of the event that was told"),
        Column("channel", "text", "Channel it was told to: its kind and a digest of its address"),
        Column("title", "text", "Title of the message"),
        Column("sent_at", "instant", "When the channel took it (UTC)"),
    ),
)


@table_asset(
    ALERT_DELIVERIES,
    group="alerts",
    deps=[SYNC_FAILURES.name, DEPROVISIONED_ACCOUNTS.name],
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
)
def alert_deliveries(
    warehouse: DuckDBResource, channels: dg.ResourceParam[AlertChannels]
) -> "dg.MaterializeResult[Any]":
    """Refused writes and deprovisioned accounts, told once to each alert channel; what fails is tried again."""
    failed: list[str] = []
    sent: list[dict[str, Any]] = []
    for name, url in channels.names().items():
        # The warehouse is open while a message goes out, so that no other run can send the same one.
        with transaction(warehouse) as connection:
            for message in alerting.messages(_untold(connection, name)):
                if not channels.send(url, title=message.title, body=message.body):
                    failed.append(name)
                    break
                told = {"channel": name, "title": message.title, "sent_at": datetime.now(UTC).replace(tzinfo=None)}
                rows = [{"finding": key, **told} for key in message.keys]
                ALERT_DELIVERIES.append(connection, rows)
                sent += rows
    if failed:
        raise dg.Failure(f"these alert channels refused a message: {', '.join(failed)}")
    with transaction(warehouse) as connection:
        ALERT_DELIVERIES.make(connection)
        return result(
            connection, ALERT_DELIVERIES, order="sent_at DESC", channels=len(channels.urls), sent_now=len(sent)
        )


def _untold(connection: duckdb.DuckDBPyConnection, channel: str) -> list[Finding]:
    failures = SYNC_FAILURES.rows(connection, "ORDER BY org, seq")
    gone = DEPROVISIONED_ACCOUNTS.rows(connection, "ORDER BY org, seq")
    told = {row["finding"] for row in ALERT_DELIVERIES.rows(connection, "WHERE channel = ?", [channel])}
    findings = [alerting.sync_failure(row) for row in failures]
    findings += [alerting.deprovisioned(row) for row in gone]
    return [finding for finding in findings if finding.key not in told]
