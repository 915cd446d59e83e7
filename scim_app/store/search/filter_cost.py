"""What a filter may cost for each resource that it is asked of."""

from scim2_models import TooManyException

FILTER_COST = 200
"""What a filter may cost: the sum of its comparisons, one of a column costing 1."""
LISTED, LINKED = 4, 20
"""What it costs to look through a list in a document, and through the members of a team or the teams of a user."""


class FilterCost:
    """What is left of what a filter may cost."""

    def __init__(self) -> None:
        self._left = FILTER_COST

    def pay(self, cost: int) -> None:
        """Count a comparison; raises `TooManyException` where it is one too many."""
        self._left -= cost
        if self._left < 0:
            most = f"at most {FILTER_COST // LINKED} comparisons of groups or members, {FILTER_COST // LISTED} of lists"
            raise TooManyException(detail=f"the filter compares too much for each resource: {most}; ask in parts")
