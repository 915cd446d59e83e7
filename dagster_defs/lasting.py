"""Findings that last: they open when something goes wrong, and close when it has been right for a while. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

CALM = timedelta(minutes=10)
"""What is right again for this long is over; before that it is the same finding, however often it comes and goes."""

EXPIRY_DAYS = (30, 7, 1)
"""Days before its end at which a token is told of."""

REVIEW_DAYS = (7, 1)
"""Days before a review is due at which its reviewers are reminded; once more when it is overdue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Something that is wrong now."""

    rule: str
    subject: str
    """What tells it apart from others of its rule: a token's id, a check's name …"""
    org: str
    severity: str
    title: str
    who: str
    what: str
    why: str
    asset: str
    page: str | None = None
    recipient: str | None = None
    keeps: tuple[str, ...] = ()
    """Subjects of the same rule that stay open with it."""


Row = dict[str, Any]


def merge(known: Iterable[Mapping[str, Any]], wrong: Iterable[Wrong], now: datetime) -> list[Row]:
    """Return the lasting findings, as rows, after another look.

    Args:
        known: rows that are not resolved yet, with `key`, `rule`, `subject`, `org`, `cleared_at`.
        wrong: what is wrong now.
        now: UTC, without a zone.
    """
    found = {(one.org, one.rule, one.subject): one for one in wrong}
    kept = {(one.org, one.rule, subject) for one in found.values() for subject in one.keeps}
    rows: list[Row] = []
    for row in known:
        subject = (row["org"], row["rule"], row["subject"])
        still = found.pop(subject, None) or subject in kept
        rows.append({**row, "cleared_at": None} if still else _clearing(row, now))
    return rows + [_opened(one, now) for one in found.values()]


def _clearing(row: Mapping[str, Any], now: datetime) -> Row:
    cleared = row["cleared_at"] or now
    return {**row, "cleared_at": cleared, "resolved_at": now if now - cleared >= CALM else None}


def _opened(one: Wrong, now: datetime) -> Row:
    told = {name: getattr(one, name) for name in Wrong.__slots__ if name != "keeps"}
    key = f"{one.org}/{one.rule}/{one.subject}/{now:%Y%m%dT%H%M%S}"
    return {
        **told,
        "key": key,
        "occurred_at": now,
        "user_id": None,
        "seq": None,
        "cleared_at": None,
        "resolved_at": None,
    }


def silence(rhythms: Iterable[Mapping[str, Any]], now: datetime) -> list[Wrong]:
    """Return the identity providers that have been silent for longer than they ever are.

    Args:
        rhythms: rows of `idp_rhythm` with `last_seen_at` and `allowed_silence_seconds` (None where none is known).
        now: UTC, without a zone.
    """
    return [
        Wrong(
            rule="idp_silence",
            subject=row["idp"],
            org=row["org"],
            severity="warning",
            title=f"{row['idp']} is silent",
            who=row["idp"],
            what=f"nothing came since {row['last_seen_at']:%Y-%m-%d %H:%M} UTC; its longest usual pause is "
            f"{_words(row['longest_pause_seconds'])}.",
            why="leavers may keep access while provisioning stands still: look at the provisioning log there.",
            asset="idp_rhythm",
        )
        for row in rhythms
        if row["allowed_silence_seconds"] is not None
        and (now - row["last_seen_at"]).total_seconds() > row["allowed_silence_seconds"]
    ]


def expiry(tokens: Iterable[Mapping[str, Any]], now: datetime) -> list[Wrong]:
    """Return the tokens that end within 30, 7 or 1 days, or have ended; each step is told for itself.

    A token that was replaced is to end, and the one in its place is told of.

    Args:
        tokens: rows with `org`, `token_id`, `description`, `idp`, `expires_at`, `revoked_at` (UTC, without a zone) and
            `replaced_by`.
        now: UTC, without a zone.
    """
    return [
        Wrong(
            rule="token_expiry",
            subject=f"{row['token_id']}/{step}",
            org=row["org"],
            severity="critical" if step <= 1 else "warning",
            title=f"SCIM token {'has ended' if step == 0 else 'ends soon'}: {row['description'] or row['token_id']}",
            who=f"{row['idp'] or 'the identity provider'}, token {row['token_id']}",
            what=f"the token is valid until {row['expires_at']:%Y-%m-%d %H:%M} UTC.",
            why="with its end provisioning stops, and leavers keep access: rotate it under Tokens.",
            asset="tokens",
            keeps=tuple(f"{row['token_id']}/{days}" for days in (*EXPIRY_DAYS, 0) if days > step),
        )
        for row in tokens
        if row["revoked_at"] is None
        and row["replaced_by"] is None
        and (step := _step(row["expires_at"] - now, EXPIRY_DAYS)) is not None
    ]


def reviews_due(waiting: Iterable[Mapping[str, Any]], now: datetime) -> list[Wrong]:
    """Return a reminder for each reviewer of a review that is due within 7 or 1 days, or overdue.

    Args:
        waiting: rows with `org`, `campaign_id`, `name`, `due_at`, `reviewer_id`, `reviewer_name`, `reviewer_email` and
            `undecided`, of open reviews (UTC, without a zone).
        now: UTC, without a zone.
    """
    steps = ((row, _step(row["due_at"] - now, REVIEW_DAYS)) for row in waiting)
    return [_reminder(row, step) for row, step in steps if step is not None]


def _reminder(row: Mapping[str, Any], step: int) -> Wrong:
    whose = f"{row['campaign_id']}/{row['reviewer_id']}"
    due = f"{row['due_at']:%Y-%m-%d %H:%M} UTC"
    return Wrong(
        rule="review_due",
        subject=f"{whose}/{step}",
        org=row["org"],
        severity="critical" if step == 0 else "warning",
        title=f"Access review {'is overdue' if step == 0 else 'is due soon'}: {row['name']}",
        who=f"{row['reviewer_name']}, who reviews",
        what=f"decisions that are missing: {row['undecided']}. The review {'was' if step == 0 else 'is'} due {due}.",
        why="what nobody decides is told to the auditors as not reviewed.",
        asset="campaigns",
        page=f"reviews/{row['campaign_id']}",
        recipient=row["reviewer_email"],
        keeps=tuple(f"{whose}/{days}" for days in (*REVIEW_DAYS, 0) if days > step),
    )


def _step(left: timedelta, steps: Sequence[int]) -> int | None:
    if left <= timedelta():
        return 0
    return next((days for days in sorted(steps) if left <= timedelta(days=days)), None)


def mass_deprovisioning(counts: Iterable[Mapping[str, Any]], *, percent: int, least: int) -> list[Wrong]:
    """Return the organizations in which abnormally many people lose access within an hour.

    Args:
        counts: rows with `org`, `gone` (leavers of the last 60 minutes) and `active` (people active before them).
        percent: share of the active people from which it is abnormal.
        least: it takes more leavers than this, however small the organization.
    """
    return [
        Wrong(
            rule="mass_deprovisioning",
            subject="hour",
            org=row["org"],
            severity="critical",
            title=f"{row['gone']} accounts lost access within an hour",
            who=f"{row['gone']} of {row['active']} active people",
            what=f"more than {max(least, row['active'] * percent // 100)} deactivations within 60 minutes.",
            why="a rule in the identity provider may be wrong; access is cut already, accounts can be restored.",
            asset="deprovisioned_accounts",
        )
        for row in counts
        if is_abnormal(row["gone"], row["active"], percent=percent, least=least)
    ]


def is_abnormal(gone: int, active: int, *, percent: int, least: int) -> bool:
    """Tell whether so many leavers of so many active people are abnormal."""
    return gone > max(least, active * percent / 100)


EVERY = "all"
"""In the place of an organization: what is wrong may be wrong in each."""


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that failed at its last evaluation, of one organization."""

    asset: str
    name: str
    severity: str
    """`ERROR` or `WARN`."""
    org: str = EVERY
    """Slug of the organization that it failed for; `EVERY` where it does not say for which."""
    words: str = ""
    """What is wrong there."""

    @property
    def path(self) -> str:
        """Asset and name."""
        return f"{self.asset}/{self.name}"


def failed_checks(checks: Iterable[FailedCheck]) -> list[Wrong]:
    """Return a finding for each failed check and organization; none names another organization."""
    return [
        Wrong(
            rule="check_failed",
            subject=check.path,
            org=check.org,
            severity="critical" if check.severity == "ERROR" else "warning",
            title=f"Check failed: {check.name.replace('_', ' ')}",
            who=f"asset {check.asset}",
            what=f"the check {check.name} of {check.asset} failed{check.words and f': {check.words}'}.",
            why="what is built on it may be wrong: the check's page shows what it found.",
            asset=check.asset,
        )
        for check in checks
    ]


def _words(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
