"""The numbers of an organization by which reports judge what happened: each is declared here, once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that is a setting of the organization."""

    name: str
    unit: str
    """What it counts, in the plural."""
    meaning: str
    """What follows the unit in a sentence."""
    default: int
    """What a new organization has."""
    most: int
    least: int = 1

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{self.unit} {self.meaning}"

    def require_valid(self, value: object) -> None:
        """Raise `ValueError` unless a value is within the limits."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise ValueError(f"{self.words}: use a whole number from {self.least} to {self.most}")


DEPROVISION_SLA = Threshold(
    "deprovision_sla_seconds", "seconds", "in which a leaver's access is to end", 86_400, 2**31 - 1
)
OF_CONTROLS = (
    Threshold("dormant_days", "days", "until an account is dormant", 90, 3_650),
    Threshold("review_days", "days", "between two reviews of the organization", 92, 3_650),
    Threshold("grace_days", "days", "of grace", 7, 365, least=0),
    Threshold("rubber_stamp_seconds", "seconds", "below which a decision is made at a glance", 2, 3_600),
    Threshold("rubber_stamp_least", "decisions", "from which a reviewer's pace counts", 20, 1_000_000),
)
"""What the control tests go by, as it is set at the end of the period."""
THRESHOLDS = {threshold.name: threshold for threshold in (DEPROVISION_SLA, *OF_CONTROLS)}
"""All of them by name."""
DEFAULTS = {name: threshold.default for name, threshold in THRESHOLDS.items()}
