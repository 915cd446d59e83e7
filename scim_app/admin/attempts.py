"""How often something may be tried on the pages where nobody is signed in yet."""

from http import HTTPStatus

from scim_app.admin.failures import PageProblem
from scim_app.rate import Buckets


class Attempts(Buckets):
    """At most so many attempts of a key in so many seconds, then none until time has passed."""

    def __init__(self, most: int, *, seconds: float) -> None:
        super().__init__(most / seconds, most)

    def require(self, key: str) -> None:
        """Count an attempt.

        Raises:
            PageProblem: with status 429 when there were too many.
        """
        if seconds := self.take(key):
            text = f"Too many attempts. Wait {seconds} seconds, then try again."
            raise PageProblem(HTTPStatus.TOO_MANY_REQUESTS, "Not so fast", text, retry_after=seconds)
