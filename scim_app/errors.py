"""The errors a person or a client can cause, each with words that say what to do.

    DirectoryError
    ├── NotFound            the thing named does not exist
    ├── Conflict            it exists already
    ├── Refused             a rule of the organization is against it
    ├── NotPermitted        the role of the person, or the scope of the key, does not allow it
    ├── Unstorable          a text has a character that no row can hold
    └── StoreUnavailable    the store is locked, full or gone; try again later

Protocol errors are the library's own tree (`scim2_models.SCIMException`).
"""


class DirectoryError(Exception):
    """Base of the errors that carry a sentence for the person who caused them."""


class NotFound(DirectoryError):
    """The organization, token, user or team named does not exist."""


class Conflict(DirectoryError):
    """The name is taken."""


class Refused(DirectoryError):
    """A rule of the organization is against it; the sentence says which, and what to do instead."""


class NotPermitted(DirectoryError):
    """The role of the person, or the scope of the key, does not allow it."""


class Unstorable(DirectoryError):
    """A value can't be kept: a text with a NUL character, or a number out of range."""

    @classmethod
    def because(cls, problem: Exception) -> "Unstorable":
        """Return the error for a value that the database refused."""
        error = cls("a value holds a character or a number that can't be stored, such as NUL (U+0000)")
        error.__cause__ = problem
        return error


class StoreUnavailable(DirectoryError):
    """The store can't be read or written now; nothing was changed."""


RETRY_SECONDS = 5
"""`Retry-After` of every answer that the store is unavailable."""
