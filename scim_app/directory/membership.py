"""What a request asks of a team's members, as a set change that can be composed (RFC 7644 §3.5.2)."""

from dataclasses import dataclass

TEAM_MEMBERS = 100_000
"""Most members of a team, pending ones too, and most values of `members` in one request."""


@dataclass(frozen=True, slots=True)
class MemberDelta:
    """A change of a set of members: keep all or none of those there, take some out, put some in."""

    reset: bool = False
    """Start from an empty set."""
    removed: frozenset[str] = frozenset()
    added: tuple[str, ...] = ()

    @classmethod
    def add(cls, *members: str) -> "MemberDelta":
        """Put members in; those there already stay as they are."""
        return cls(added=tuple(dict.fromkeys(members)))

    @classmethod
    def remove(cls, *members: str) -> "MemberDelta":
        """Take members out; those not there are no error."""
        return cls(removed=frozenset(members))

    @classmethod
    def replace(cls, *members: str) -> "MemberDelta":
        """Leave exactly these members."""
        return cls(reset=True, added=tuple(dict.fromkeys(members)))

    def then(self, later: "MemberDelta") -> "MemberDelta":
        """Return the change that does this one and then the later one."""
        if later.reset:
            return later
        kept = tuple(member for member in self.added if member not in later.removed)
        return MemberDelta(
            reset=self.reset,
            removed=(self.removed | later.removed).difference(later.added),
            added=tuple(dict.fromkeys((*kept, *later.added))),
        )

    def __bool__(self) -> bool:
        return self.reset or bool(self.removed) or bool(self.added)
