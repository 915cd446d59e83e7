"""The token of a request, out of its `Authorization` header."""

import re

from starlette.types import Scope

from scim_app.directory.token_faults import TokenFault

_LONGEST = 512
"""Characters of a header that may hold a token."""
_FORM = re.compile(r"\s*(?:bearer:?\s+)*(?!bearer:?\s*$)(\S+)\s*", re.IGNORECASE)
_NOTHING = re.compile(r"\s*(?:bearer:?\s*)*", re.IGNORECASE)


def read_token(scope: Scope) -> tuple[str, TokenFault | None]:
    """Return the token that a request offers; empty with the fault where there is none.

    It is `Bearer` and the token (RFC 6750 §2.1). Okta's *Header Auth* applications send the field as an admin filled
    it in, so the scheme may be missing or come twice, in any case and with any spaces.
    """
    offered = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(offered) != 1:
        return "", TokenFault.REPEATED if offered else TokenFault.MISSING
    text = offered[0].decode("latin-1")
    if len(text) > _LONGEST:
        return "", TokenFault.MALFORMED
    if form := _FORM.fullmatch(text):
        return form[1], None
    return "", TokenFault.MISSING if _NOTHING.fullmatch(text) else TokenFault.MALFORMED
