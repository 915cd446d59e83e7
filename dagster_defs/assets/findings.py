"""Findings: what a person should know of, one row each. What events show stays; what lasts opens and closes."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs import lasting
from dagster_defs.assets.changes import DEPROVISIONED_ACCOUNTS, leavers_and_active
from dagster_defs.assets.events import ORGANIZATIONS
from dagster_defs.assets.history import USER_VERSIONS
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.assets.reviews import CAMPAIGNS, REVIEW_ITEMS, undecided
from dagster_defs.assets.sync_health import IDP_RHYTHM, SYNC_FAILURES
from dagster_defs.check_states import failed
from dagster_defs.code_location import CodeLocation
from dagster_defs.incremental import BLOCK, COPY, advance
from dagster_defs.lasting import Wrong
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import ORGANIZATION, Table, kept, sql
from scim_app.settings import Settings
from scim_app.store.export.columns import Column

FINDINGS = Table(
    "findings",
    (
        Column("key", "text", "Tells the finding apart, the same in every run"),
        ORGANIZATION,
        Column("rule", "text", "What was looked for: `deprovisioned`, `refused_write`, `idp_silence` …"),
        Column("subject", "text", "Of what lasts: what it is about; empty where an event shows it"),
        Column("severity", "text", "`info`, `warning` or `critical`"),
        Column("title", "text", "The finding in a few words"),
        Column("who", "text", "Whom it is about"),
        Column("what", "text", "What happened or is wrong"),
        Column("why", "text", "Why it matters and what to do"),
        Column("occurred_at", "instant", "When it happened, or was first seen (UTC)"),
        Column("user_id", "text", "Account whose page tells more"),
        Column("asset", "text", "Asset whose page tells more"),
        Column("page", "text", "Page of the settings that tells more"),
        Column("recipient", "text", "Address of the one person it is for, who gets it beside the channels"),
        Column("seq", "integer", "Event that shows it"),
        Column("cleared_at", "instant", "Of what lasts: since when it looks right again (UTC)"),
        Column("resolved_at", "instant", "When it was over (UTC): right for ten minutes"),
    ),
)


@table_asset(
    FINDINGS,
    group="alerts",
    deps=[DEPROVISIONED_ACCOUNTS.name, SYNC_FAILURES.name, IDP_RHYTHM.name, CAMPAIGNS.name, COPY],
    urgent=True,
)
def findings(
    context: dg.AssetExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> "dg.MaterializeResult[Any]":
    """Leavers, refused writes, late or mass deprovisioning, silence, tokens and reviews that are due, failed checks."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with warehouse.get_connection() as connection:
        for table in (CAMPAIGNS, REVIEW_ITEMS, USER_VERSIONS, DEPROVISIONED_ACCOUNTS, ORGANIZATIONS):
            table.make(connection)
        # Read first: a log that began another life takes its findings with it, but what lasts goes on.
        known = FINDINGS.rows(connection, "WHERE subject IS NOT NULL AND resolved_at IS NULL ORDER BY key")
        carry(connection)
        wrong = [
            *lasting.silence(heard(connection, scim), now),
            *lasting.expiry(scim.tokens(), now),
            *lasting.reviews_due(undecided(connection), now),
            *_mass_deprovisioning(connection, now),
            *_failed_checks(context, known),
        ]
        with kept(connection):
            connection.execute("DELETE FROM identity.findings WHERE subject IS NOT NULL AND resolved_at IS NULL")
            FINDINGS.append(connection, lasting.merge(known, wrong, now))
        still = FINDINGS.count(connection, "WHERE subject IS NOT NULL AND resolved_at IS NULL")
        return result(connection, FINDINGS, order="occurred_at DESC, key", open_now=still)


def carry(connection: duckdb.DuckDBPyConnection, block: int = BLOCK) -> int:
    """Take in what the new events show, and return how many events were looked at."""
    sources, text = [DEPROVISIONED_ACCOUNTS.name, SYNC_FAILURES.name], sql("findings_of_events")
    return advance(connection, FINDINGS.name, [FINDINGS], lambda: connection.execute(text), block, behind=sources)


def heard(connection: duckdb.DuckDBPyConnection, scim: ScimStore) -> list[dict[str, Any]]:
    """Return the rows of `idp_rhythm` with `last_seen_at`: the last event, or the last use of a token.

    An identity provider whose tokens were all revoked is not heard of any more, and is none of them.
    """
    tokens: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for token in scim.tokens():
        tokens.setdefault((token["org"], token["idp"]), []).append(token)
    rows: list[dict[str, Any]] = []
    for row in IDP_RHYTHM.rows(connection):
        known = tokens.get((row["org"], row["idp"]), [])
        used = [one["last_used_at"] for one in known if one["last_used_at"] and not one["revoked_at"]]
        if not known or any(not one["revoked_at"] for one in known):
            rows.append({**row, "last_seen_at": max([row["last_event_at"], *used])})
    return rows


def _mass_deprovisioning(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[Wrong]:
    settings = Settings()
    return lasting.mass_deprovisioning(
        leavers_and_active(connection, now),
        percent=settings.mass_deprovision_percent,
        least=settings.mass_deprovision_least,
    )


def _failed_checks(context: dg.AssetExecutionContext, known: list[dict[str, Any]]) -> list[Wrong]:
    location = CodeLocation.of_run(context.instance, context.run)
    before = {(row["subject"], row["org"]) for row in known if row["rule"] == "check_failed"}
    return lasting.failed_checks(failed(location, before))
