"""What happens in a made-up year: every step with its moment, from a seed alone. Pure; the same seed, the same year.

Joiners, movers and leavers come as in a growing company; in between are refused deactivations that make leavers late,
returns, a mapping error that deactivates many at once, a quiet stretch, token rotations, grants and their revocations.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from scim_app.cli.history import refusals
from scim_app.cli.history.people import DEPARTMENTS, Person, person
from scim_app.cli.history.steps import Does, Step

DAYS = 365
TEAM_SIZE = 60
"""People of one department whom one team takes, about."""
SHARED_TEAMS = ("Data Admins", "On-call", "Finance Reports")
MASS_DAY, QUIET_DAYS, ROTATION_DAYS = 212, range(120, 124), (175, 330)
REVIEW_DAYS = (75, 166, 257, 343)
"""Days on which a review is opened; it is decided within ten days and closed after two weeks."""


def year(people: int = 240, *, seed: int = 7, starts: datetime, days: int = DAYS) -> Iterator[Step]:
    """Yield the steps in the order of their moments.

    Args:
        people: head count that the company begins with, about; it grows by a sixth in a year.
        seed: the same seed gives the same year.
        starts: midnight (UTC) of the first day.
        days: length of the history.
    """
    company = _Company(people, Random(seed), starts, days)  # noqa: S311
    company.found()
    for day in range(1, days):
        yield from company.until(starts + timedelta(days=day))
        if day not in QUIET_DAYS:
            company.live(day)
    yield from company.until(starts + timedelta(days=days))


class _Company:
    """Draws what happens and keeps it until its moment comes."""

    def __init__(self, people: int, rng: Random, starts: datetime, days: int) -> None:
        self.rng, self.starts, self.days, self.size = rng, starts, days, people
        self.active: dict[int, Person] = {}
        self.teams: dict[int, set[str]] = {}
        self._busy: set[int] = set()
        self._staying: set[int] = set()
        self._agenda: list[tuple[datetime, str, int, Step]] = []
        self._order, self._numbers = count(), count(1)

    def until(self, moment: datetime) -> Iterator[Step]:
        """Yield what is due before a moment."""
        while self._agenda and self._agenda[0][0] < moment:
            yield heapq.heappop(self._agenda)[3]

    def add(self, at: datetime, does: Does, who: Person | None = None, team: str | None = None, **detail: Any) -> None:
        """Put a step on the agenda."""
        heapq.heappush(self._agenda, (at, team or "", next(self._order), Step(at, does, who, team, detail)))

    def hour(self, day: int) -> datetime:
        """Return a moment of a day in working hours."""
        return self.starts + timedelta(days=day, hours=8, seconds=self.rng.randrange(9 * 3600))

    def team_of(self, who: Person) -> str:
        """Return the team of a person's department; a large department has several."""
        squads = max(1, round(self.size / len(DEPARTMENTS) / TEAM_SIZE))
        return who.department if squads == 1 else f"{who.department} {who.number % squads + 1}"

    def found(self) -> None:
        """The first day: tokens, teams, the people there are, and the grants that let them work."""
        at = self.starts + timedelta(hours=8)
        self.add(at, Does.TOKEN, description="Okta provisioning")
        first = [person(next(self._numbers), self.rng) for _ in range(self.size)]
        named = sorted({self.team_of(one) for one in first}) + list(SHARED_TEAMS)
        for name in named:
            self.add(at + timedelta(minutes=5), Does.TEAM, team=name)
        for one in first:
            self._arrive(one, at + timedelta(minutes=10), waits=timedelta(minutes=30))
        self._grants(named, at + timedelta(hours=4))
        for index, name in enumerate(named):
            owner = first[index * 3 % len(first)]
            self._staying.add(owner.number)
            self.add(at + timedelta(hours=5), Does.OWN, owner, name)

    def _grants(self, teams: list[str], at: datetime) -> None:
        for name in teams:
            if name.startswith(("Data Platform", "On-call")):
                self.add(at, Does.GRANT, team=name, role="editor", scope="deployment")
            elif name.startswith(("Analytics", "Finance", "Research")):
                self.add(at, Does.GRANT, team=name, role="launcher", scope="deployment")
            elif name == "Data Admins":
                self.add(at, Does.GRANT, team=name, role="admin", scope="organization", reason="platform on-call")
        owners = [one for one in self.active.values() if one.department == "Security"][:2]
        for one in owners:
            self._staying.add(one.number)
            self.add(at, Does.GRANT, one, role="organization_admin", scope="organization", reason="owns the platform")

    def live(self, day: int) -> None:
        """One day of the company; nobody is in two of its stories."""
        self._busy.clear()
        rate = self.size / DAYS
        if day == MASS_DAY:
            self._mass(day)
        for _ in range(self._drawn(rate * 0.25)):
            self._move(day)
        for _ in range(self._drawn(rate * 0.28)):
            self._leave(day)
        for _ in range(self._drawn(0.35 + rate * 0.05)):
            self._refuse(day)
        if self._drawn(0.08):
            self._temporary_grant(day)
        self._sign_ins(day)
        for _ in range(self._drawn(rate * 0.45)):
            self._arrive(person(next(self._numbers), self.rng), self.hour(day))
        if day in ROTATION_DAYS:
            self.add(self.hour(day), Does.TOKEN, description="Okta provisioning, rotated")
        if day in REVIEW_DAYS:
            self._review(day)
        if day in (100, 200):
            self._exception(day)

    def _drawn(self, mean: float) -> int:
        """Return how often something happens that happens `mean` times on average."""
        whole, part = int(mean), mean % 1
        return whole + (self.rng.random() < part)

    def _arrive(self, who: Person, at: datetime, waits: timedelta = timedelta(minutes=2)) -> None:
        self.add(at, Does.PROVISION, who)
        self.active[who.number], self.teams[who.number] = who, set()
        self._enter(who, self.team_of(who), at + waits)
        if who.department in ("Data Platform", "Operations") and self.rng.random() < 0.2:
            self._enter(who, "On-call", at + timedelta(hours=2))
        if who.department == "Data Platform" and self.rng.random() < 0.15:
            self._enter(who, "Data Admins", at + timedelta(hours=3))

    def _enter(self, who: Person, team: str, at: datetime) -> None:
        if team not in self.teams[who.number]:
            self.teams[who.number].add(team)
            self.add(at, Does.ENTER, who, team)

    def _exit(self, who: Person, team: str, at: datetime) -> None:
        if team in self.teams[who.number]:
            self.teams[who.number].remove(team)
            self.add(at, Does.EXIT, who, team)

    def _someone(self) -> Person:
        chosen = self.rng.choice([number for number in self.active if number not in self._busy | self._staying])
        self._busy.add(chosen)
        return self.active[chosen]

    def _move(self, day: int) -> None:
        before, at = self._someone(), self.hour(day)
        after = before.moved(self.rng)
        self.active[after.number] = after
        self.add(at, Does.CHANGE, after)
        self._enter(after, self.team_of(after), at + timedelta(minutes=4))
        if self.rng.random() < 0.65:  # others keep the old team: what an access review is there to find
            self._exit(after, self.team_of(before), at + timedelta(minutes=5))

    def _leave(self, day: int) -> None:
        who, at = self._someone(), self.hour(day)
        del self.active[who.number]
        if self.rng.random() < 0.12:  # the identity provider's request is refused, and only works days later
            self.add(at, Does.REFUSE, who, **refusals.DEACTIVATION)
            at += timedelta(days=self.rng.randrange(2, 6), hours=1)
        self.add(at, Does.DEACTIVATE, who)
        if self.rng.random() < 0.9:
            for team in sorted(self.teams[who.number]):
                self._exit(who, team, at + timedelta(minutes=10))
        chance = self.rng.random()
        if chance < 0.12:
            self._return(who, at + timedelta(days=self.rng.randrange(20, 120)))
        elif chance < 0.3:
            self.add(at + timedelta(days=30), Does.DELETE, who)

    def _return(self, who: Person, at: datetime) -> None:
        self.add(at, Does.REACTIVATE, who)
        self._enter(who, self.team_of(who), at + timedelta(minutes=3))

    def _refuse(self, day: int) -> None:
        self.add(self.hour(day), Does.REFUSE, self._someone(), **self.rng.choice(refusals.OTHERS))

    def _sign_ins(self, day: int) -> None:
        """About every third week a person signs in; one in thirty never does."""
        for who in list(self.active.values()):
            if who.number % 30 and self.rng.random() < 0.05:
                self.add(self.hour(day), Does.SIGN_IN, who)

    def _review(self, day: int) -> None:
        name = f"Access review {REVIEW_DAYS.index(day) + 1}"
        self.add(self.hour(day), Does.OPEN_REVIEW, name=name, due=self.starts + timedelta(days=day + 14))
        for later in range(1, 11):
            self.add(self.hour(day + later), Does.DECIDE, share=1 / (11 - later), complete=day != REVIEW_DAYS[1])
        self.add(self.hour(day + 14), Does.CLOSE_REVIEW)
        self.add(self.hour(day + 17), Does.CARRY_OUT, leave=2 if day == REVIEW_DAYS[-1] else 0)

    def _exception(self, day: int) -> None:
        """The first one runs out within the year, the other stands."""
        quiet = [who for who in self.active.values() if who.number % 30 == 0]
        who, lasts = (quiet or [self._someone()])[0], 120 if day == 100 else 365
        expires = self.starts + timedelta(days=day + lasts)
        self.add(self.hour(day), Does.EXCEPTION, who, expires=expires, control="dormant_accounts_are_disabled")

    def _temporary_grant(self, day: int) -> None:
        who, at = self._someone(), self.hour(day)
        scope = {"role": "admin", "scope": "deployment"}
        self.add(at, Does.GRANT, who, **scope, reason=f"incident {self.rng.randrange(1000, 9999)}")
        if self.rng.random() < 0.7:
            self.add(at + timedelta(days=self.rng.randrange(1, 20)), Does.REVOKE, who, **scope)

    def _mass(self, day: int) -> None:
        """A mapping error deactivates a department for some hours."""
        at = self.starts + timedelta(days=day, hours=10)
        struck = [one for one in self.active.values() if one.department == "Marketing"]
        self._busy |= {one.number for one in struck}
        for index, one in enumerate(struck):
            self.add(at + timedelta(seconds=3 * index), Does.DEACTIVATE, one)
            self.add(at + timedelta(hours=4, seconds=3 * index), Does.REACTIVATE, one)
