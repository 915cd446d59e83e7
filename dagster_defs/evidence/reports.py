"""Which reports there are, and of which tables and figures each is made: the only place that knows. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from dagster_defs.evidence.exports import ENTRA, VANTA
from dagster_defs.evidence.periods import Period, month_of, quarter_of, week_of
from dagster_defs.evidence.sheets import (
    CONTROLS,
    DECISIONS,
    DORMANT,
    EXCEPTIONS,
    FAILURES,
    FINDINGS,
    JOINERS,
    LEAVERS,
    MEMBERSHIPS,
    MOVERS,
    ORPHANS,
    POPULATION,
    QUALITY,
    REVIEW_DECISIONS,
    REVIEW_ITSELF,
    ROSTER,
    SYNC,
    TO_TAKE_AWAY,
    TOKENS,
    SheetSpec,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the summary: the rows of a sheet, or those that meet a condition (SQL over its columns)."""

    label: str
    sheet: str
    where: str = "true"
    counted: str = "*"
    """What is counted of the rows (SQL)."""
    bad: bool = False
    """Whether anything above zero needs attention."""


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """A report: its name, title, purpose, tables and figures."""

    name: str
    title: str
    about: str
    sheets: tuple[SheetSpec, ...]
    figures: tuple[Figure, ...]
    charts: tuple[str, ...]
    period_of: Callable[[date], Period] | None = None
    exports: tuple[str, ...] = ()
    """Files in the shapes of other tools."""


_LATE = Figure("left too late", "leavers", "NOT is_within_sla", bad=True)
_FAILED = Figure("control tests failed", "control_matrix", "result = 'fail'", "DISTINCT test_name", bad=True)
_REFUSED = Figure("refused writes", "sync_failures", bad=True)
_LEFT = Figure("leavers", "leavers")
_OPEN = Figure("findings without exception", "control_findings", "excused_by IS NULL", bad=True)

WEEKLY = ReportSpec(
    "weekly_operations",
    "Weekly operations report",
    "How provisioning went: for those who run it.",
    (FINDINGS, SYNC, FAILURES, LEAVERS, TOKENS, ORPHANS),
    (
        Figure("days with writes", "sync_health_daily", "NOT is_silent"),
        _REFUSED,
        _LEFT,
        _LATE,
        Figure("live tokens", "token_inventory", "state = 'live'"),
        _OPEN,
    ),
    ("writes",),
    week_of,
)
MONTHLY = ReportSpec(
    "monthly_jml",
    "Joiners, movers and leavers",
    "Who came, moved and left, and whether access ended in time: for the compliance owner.",
    (FINDINGS, CONTROLS, JOINERS, MOVERS, LEAVERS, DORMANT, ORPHANS),
    (
        Figure("joiners", "joiners"),
        Figure("movers", "movers", "how = 'changed_job'"),
        _LEFT,
        _LATE,
        Figure("came back", "joiners", "is_return"),
        _FAILED,
    ),
    ("comings", "latency"),
    month_of,
)
QUARTERLY = ReportSpec(
    "quarterly_access_review",
    "Access review",
    "The population, the decisions and the controls: for auditors.",
    (CONTROLS, FINDINGS, QUALITY, DECISIONS, POPULATION, ROSTER, MEMBERSHIPS, LEAVERS, TOKENS, EXCEPTIONS),
    (
        Figure("accesses", "access_review_population"),
        Figure("decided in reviews", "access_review_decisions", "decided_at IS NOT NULL"),
        Figure("revoked", "access_review_decisions", "decision = 'revoke'"),
        Figure("revoked, not gone", "access_review_decisions", "outcome = 'open'", bad=True),
        Figure("privileged roles", "privileged_roster"),
        _FAILED,
    ),
    ("controls", "latency"),
    quarter_of,
    (ENTRA, VANTA),
)
STATE = ReportSpec(
    "compliance_report",
    "Compliance report",
    "How things stand: for everybody who answers for access.",
    (
        CONTROLS,
        FINDINGS,
        replace(LEAVERS, about="Everyone who lost access on this day, with the moment of each step."),
        POPULATION,
        QUALITY,
        replace(
            DECISIONS, about="Every access that was decided on this day, and whether it is gone.", within="decided_at"
        ),
        FAILURES,
    ),
    (
        Figure("accesses", "access_review_population"),
        _LEFT,
        _LATE,
        _REFUSED,
        _OPEN,
        _FAILED,
    ),
    ("controls",),
)
"""What is written each day, of the state at its last event."""
REVIEW = ReportSpec(
    "access_review",
    "Access review",
    "What was asked, decided and taken away: for reviewers and auditors.",
    (TO_TAKE_AWAY, REVIEW_ITSELF, REVIEW_DECISIONS),
    (
        Figure("accesses", "access_review_decisions"),
        Figure("kept", "access_review_decisions", "decision = 'keep'"),
        Figure("revoked", "access_review_decisions", "decision = 'revoke'"),
        Figure("gone", "access_review_decisions", "outcome = 'gone'"),
        Figure("revoked, not gone", "revocations_open", bad=True),
        Figure("not decided", "access_review_decisions", "decision = 'not_reviewed'", bad=True),
    ),
    ("decisions",),
    exports=(ENTRA,),
)
"""What a closed access review gets."""

REPORTS = {report.name: report for report in (WEEKLY, MONTHLY, QUARTERLY)}
"""The reports of a period, by name."""
