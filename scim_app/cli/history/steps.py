"""The steps that a made-up history is made of. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from scim_app.cli.history.people import Person


class Does(StrEnum):
    """What a step does."""

    TOKEN = "token"  # noqa: S105
    TEAM = "team"
    PROVISION = "provision"
    CHANGE = "change"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"
    ENTER = "enter"
    EXIT = "exit"
    REFUSE = "refuse"
    GRANT = "grant"
    REVOKE = "revoke"
    OWN = "own"
    SIGN_IN = "sign_in"
    OPEN_REVIEW = "open_review"
    DECIDE = "decide"
    CLOSE_REVIEW = "close_review"
    CARRY_OUT = "carry_out"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: when (UTC), what, to whom, and in which team or with which details."""

    at: datetime
    does: Does
    who: Person | None = None
    team: str | None = None
    detail: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def person(self) -> Person:
        """Whom it happens to; a step of another kind has nobody, and raises ValueError."""
        if self.who is None:
            raise ValueError(f"{self.does} happens to nobody")
        return self.who
