"""Telling people: each finding once to each channel, with a ledger of what was told."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs import ledger
from dagster_defs.assets.findings import FINDINGS
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.channels import Channel, ChannelRefused
from dagster_defs.lasting import CALM
from dagster_defs.ledger import ALERT_DELIVERIES, Outcome
from dagster_defs.resources import AlertChannels


@table_asset(ALERT_DELIVERIES, group="alerts", deps=[FINDINGS.name], urgent=True)
def alert_deliveries(
    context: dg.AssetExecutionContext, warehouse: DuckDBResource, channels: dg.ResourceParam[AlertChannels]
) -> "dg.MaterializeResult[Any]":
    """Findings told to each alert channel, once, and again when they are over; what fails is tried again later."""
    with warehouse.get_connection() as connection:
        ALERT_DELIVERIES.make(connection)
        FINDINGS.make(connection)
        told = channels.all(recipients(connection))
        for channel in told:
            _deliver(connection, channel, channels, context)
        counted = connection.execute(
            "SELECT status, count(*) FROM identity.alert_deliveries GROUP BY status"
        ).fetchall()
        return result(
            connection,
            ALERT_DELIVERIES,
            order="first_at DESC, finding",
            channels=len(channels.channels),
            deliveries=dict(counted),
            next_at=_next_look(connection, told),
        )


def recipients(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the persons that open findings are for."""
    query = "SELECT DISTINCT recipient FROM identity.findings WHERE recipient <> '' AND resolved_at IS NULL ORDER BY 1"
    return [row[0] for row in connection.execute(query).fetchall()]


def _next_look(connection: duckdb.DuckDBPyConnection, channels: Sequence[Channel]) -> str:
    """Return when there is something to do again (ISO 8601, UTC), empty when nothing waits and nothing lasts."""
    lasting = FINDINGS.count(connection, "WHERE subject IS NOT NULL AND resolved_at IS NULL")
    moments = [_now() + CALM if lasting else None, *(ledger.next_try(connection, one) for one in channels)]
    return min((moment.isoformat() for moment in moments if moment), default="")


def _deliver(
    connection: duckdb.DuckDBPyConnection, channel: Channel, channels: AlertChannels, context: dg.AssetExecutionContext
) -> None:
    """Send a channel what is due; after a refusal the rest waits, since the next one would be refused too."""
    for message in ledger.due(connection, channel, channels.links, _now()):
        ledger.claim(connection, channel, message, _now())
        error = _send(channel, message)
        ledger.settle(connection, channel, Outcome(message, error, _now()))
        if error is not None:
            context.log.warning("the alert channel %s did not take a message: %s", channel.name, error)
            break


def _send(channel: Channel, message: ledger.Message) -> str | None:
    """Send a message and return why it was refused, None when it was not."""
    try:
        channel.send(message)
    except ChannelRefused as refused:
        return str(refused)
    return None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
