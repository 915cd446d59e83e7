"""The tables that reports are made of: where their rows come from and what each says. Pure."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SheetSpec:
    """A table of a report: where its rows come from, what it says, and which columns people look at first."""

    name: str
    title: str
    about: str
    order: str
    shown: tuple[str, ...]
    within: str | None = None
    """The column of the moment or day by which rows belong to the period; None for the state at its end."""
    schema: str = "reports"
    scope: str = "organization"
    """The column with the organization's slug."""
    where: str = "true"
    table: str = ""
    """The table it is read from, where that has another name."""


CONTROLS = SheetSpec(
    "control_matrix",
    "Controls",
    "Each control with the tests behind it, over what happened in the period. A test passes when nothing is left that "
    "no exception excuses; where there was nothing to look at, there was no occurrence, which proves nothing.",
    "framework, control, test_name",
    ("framework", "control", "title", "assertion", "population", "findings", "excused", "result"),
)
FINDINGS = SheetSpec(
    "control_findings",
    "What needs attention",
    "Everything that the control tests found wrong, with the exception that excuses it where there is one.",
    "test_name, subject_name, finding, subject_id",
    ("test_name", "subject_name", "finding", "excused_by", "excused_until"),
)
LEAVERS = SheetSpec(
    "leavers",
    "Leavers",
    "Everyone who lost access, with the moment of each step. The clock starts when the end of access was first asked "
    "for, also where that request was refused.",
    "left_at, event",
    (
        *("user_name", "display_name", "department", "asked_at", "left_at", "latency_seconds"),
        *("is_within_sla", "how", "teams_lost", "returned_at"),
    ),
    within="left_at",
)
JOINERS = SheetSpec(
    "joiners",
    "Joiners",
    "Everyone who gained access, for the first time or again.",
    "joined_at, event",
    ("user_name", "display_name", "department", "joined_at", "how", "first_team_at", "identity_provider"),
    within="joined_at",
)
MOVERS = SheetSpec(
    "movers",
    "Movers",
    "Everyone who changed team, role or job; after a change of job, the old teams that are still held.",
    "moved_at, event, user_id, how, detail",
    ("user_name", "department", "moved_at", "how", "detail", "teams_kept"),
    within="moved_at",
)
SYNC = SheetSpec(
    "sync_health_daily",
    "Provisioning by day",
    "What the identity provider wrote each day, what was refused, and the days on which nothing came.",
    "day",
    ("day", "accepted_writes", "refused_writes", "refusal_causes", "is_silent"),
    within="day",
)
FAILURES = SheetSpec(
    "sync_failures",
    "Refused writes",
    "What the identity provider sent and the service refused, with the cause and what to do.",
    "seq",
    ("occurred_at", "method", "subject_name", "status", "cause", "detail", "what_to_do"),
    within="occurred_at",
    schema="identity",
    scope="org",
)
TOKENS = SheetSpec(
    "token_inventory",
    "Provisioning tokens",
    "Every token there has been: its age, expiry and last use.",
    "created_at, token_id",
    ("description", "identity_provider", "created_at", "expires_at", "last_used_at", "age_days", "state"),
)
ORPHANS = SheetSpec(
    "orphaned_access",
    "Orphaned access",
    "Access recorded for accounts that are inactive or gone, and teams that nobody owns.",
    "finding, subject_name, access_name, subject_id",
    ("finding", "subject_name", "access_name", "role", "since", "days_since"),
)
DORMANT = SheetSpec(
    "dormant_accounts",
    "Dormant accounts",
    "Active accounts without a sign-in and without a change for at least 90 days.",
    "idle_days DESC, user_name, user_id",
    ("user_name", "display_name", "department", "last_sign_in_at", "last_changed_at", "idle_days"),
)
POPULATION = SheetSpec(
    "access_review_population",
    "Access review population",
    "Every access at the end of the period: each team and each own role of every active account.",
    "user_name, access_kind, team_name, granted_role, user_id, team_id, grant_id",
    (
        *("user_name", "display_name", "department", "access_kind", "team_name", "granted_role"),
        *("effective_role", "member_since"),
    ),
)
ROSTER = SheetSpec(
    "privileged_roster",
    "Privileged access",
    "Who can give access to others: why, since when, granted by whom.",
    "role, user_name, source, source_name, scope_name, user_id, grant_id",
    ("user_name", "department", "role", "scope_name", "source_name", "held_since", "granted_by", "reason"),
)
MEMBERSHIPS = SheetSpec(
    "team_membership_asof",
    "Team memberships",
    "Who was in which team at the end of the period.",
    "team_name, user_name, team_id, user_id",
    ("team_name", "user_name", "display_name", "department", "is_active", "member_since"),
)
QUALITY = SheetSpec(
    "review_quality",
    "Quality of the access reviews",
    "Coverage, independence and pace of every review, and the revocations that are not gone yet.",
    "opened_at, campaign_id",
    (
        *("campaign_name", "review_scope", "opened_at", "closed_at", "items", "coverage_percent"),
        *("revoked", "revocations_open", "self_reviews", "is_rubber_stamped"),
    ),
)
DECISIONS = SheetSpec(
    "access_review_decisions",
    "Decisions of the access reviews",
    "Every access that a review opened in the period asked for, what was decided and why, and whether it is gone.",
    "campaign_name, item_id, campaign_id",
    ("campaign_name", "user_name", "access_name", "reviewer_name", "decision", "reason", "decided_at", "outcome"),
    within="opened_at",
)
EXCEPTIONS = SheetSpec(
    "exceptions",
    "Exceptions",
    "Who answers for each exception from a control, why, and until when.",
    "created_at, exception_id",
    ("test_name", "subject_name", "owner", "reason", "approved_by", "expires_at", "state"),
)
REVIEW_ITSELF = replace(
    QUALITY,
    title="The review",
    about="What it asked for, how much of it was decided, by how many people and how fast.",
    where="campaign_id = $campaign",
)
REVIEW_DECISIONS = replace(
    DECISIONS,
    title="Decisions",
    about="Every access that the review asked for, who decided what and why, and whether revoked access is gone.",
    order="outcome = 'open' DESC, decision = 'not_reviewed' DESC, decision DESC, user_name, access_name, item_id",
    shown=("user_name", "display_name", "access_name", "role", "reviewer_name", "decision", "reason", "outcome"),
    within=None,
    where="campaign_id = $campaign",
)
TO_TAKE_AWAY = replace(
    DECISIONS,
    name="revocations_open",
    table="access_review_decisions",
    title="Still to be taken away",
    about="What the review revoked and the event log still shows; each stays here until it is gone.",
    order="user_name, access_name, item_id",
    shown=("user_name", "access_name", "managed_by", "task", "reviewer_name", "reason"),
    within=None,
    where="campaign_id = $campaign AND outcome = 'open'",
)
