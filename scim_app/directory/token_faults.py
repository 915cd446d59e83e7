"""Why a request was not let in: what its token lacks, in plain words, for admins alone."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Failure:
    """A cause of refusals: its name, what it means and what to do."""

    cause: str
    meaning: str
    what_to_do: str


class TokenFault(StrEnum):
    """Why a request was not let in; callers are never told which."""

    MISSING = "token_missing"
    REPEATED = "token_repeated"
    MALFORMED = "token_malformed"
    MISTYPED = "token_mistyped"
    UNKNOWN = "token_unknown"
    ELSEWHERE = "token_of_another_organization"
    REVOKED = "token_revoked"
    EXPIRED = "token_expired"


_PASTE = "Copy the token from where it was kept, or make a new one under Tokens, and paste it whole, without spaces."
TOKEN_FAILURES = {
    TokenFault.MISSING: Failure(
        TokenFault.MISSING,
        "The request carries no token.",
        "Paste the token into the identity provider's field for it: API Token, Authorization or Secret Token.",
    ),
    TokenFault.REPEATED: Failure(
        TokenFault.REPEATED,
        "The request has several Authorization headers.",
        "Let the identity provider and the proxies before the service send one.",
    ),
    TokenFault.MALFORMED: Failure(
        TokenFault.MALFORMED,
        "What came as token is no SCIM token, which begins with scim_. A password or an API key is none.",
        "Choose HTTP header or bearer token as authentication in the identity provider. " + _PASTE,
    ),
    TokenFault.MISTYPED: Failure(
        TokenFault.MISTYPED,
        "The token is cut off or mistyped: its check digits are wrong.",
        _PASTE,
    ),
    TokenFault.UNKNOWN: Failure(
        TokenFault.UNKNOWN,
        "The token is none of this service.",
        "Compare the address with that of the service which made the token. " + _PASTE,
    ),
    TokenFault.ELSEWHERE: Failure(
        TokenFault.ELSEWHERE,
        "The token belongs to another organization of this service.",
        "Use the SCIM base URL of that organization, or a token of this one.",
    ),
    TokenFault.REVOKED: Failure(
        TokenFault.REVOKED,
        "The token was revoked.",
        "Make a new one under Tokens and put it into the identity provider; or stop the program that still uses this.",
    ),
    TokenFault.EXPIRED: Failure(
        TokenFault.EXPIRED,
        "The token has expired, or the time beside the one that replaced it is over.",
        "Make a new one under Tokens and put it into the identity provider.",
    ),
}
