"""How names compare, and what a userName tells about the sign-in address."""

import re
from unicodedata import category, normalize

_TOMBSTONE = re.compile(r"^[0-9a-f]{32}(?=[^@]+@)", re.IGNORECASE)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+$")

_UNFIT = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


def fold(name: str) -> str:
    """Return the form in which names compare: width, case and invisible letters make no difference (RFC 8265 §3.3).

    Two names that fold alike are one name, both for looking up and for uniqueness.
    """
    if name.isascii():
        return name.lower()
    folded = normalize("NFKC", normalize("NFKC", name).casefold())
    return "".join(letter for letter in folded if category(letter) != "Cf")


def unfit_letter(user_name: str) -> str | None:
    """Return the first character that no userName may have, None when all are fit (RFC 8264 §9, in spirit).

    Unfit are controls, line ends, private and half characters, and what can't be seen, such as direction marks;
    the joiners that scripts of India and Persia are written with are fit.
    """
    if user_name.isprintable():
        return None
    return next((one for one in user_name if category(one) in _UNFIT and one not in _JOINERS), None)


def composed(text: str) -> str:
    """Return text as attributes with `caseExact` compare: NFC, as the protocol library does; also a whole JSON text."""
    return normalize("NFC", text)


def lower(text: str) -> str:
    """Return text as attributes without `caseExact` compare: NFC, lower case, as the protocol library does.

    It may be applied to a whole JSON text: quotes separate the strings in it, for both operations.
    """
    return composed(composed(text).lower())


def address_key(address: str) -> bytes:
    """Return the form in which addresses of a sign-in compare: the case of ASCII letters alone makes no difference.

    Letters that look alike are different ones here: whoever owns the one mailbox does not own the other.
    """
    return address.encode(errors="surrogatepass").lower()


def without_tombstone(user_name: str) -> str:
    """Return the userName before Entra ID's soft delete put 32 hexadecimal digits in front of it."""
    return _TOMBSTONE.sub("", user_name)


def is_email_address(text: str) -> bool:
    """Tell whether a text has the form of an e-mail address."""
    return _EMAIL.match(text) is not None


def sign_in_address(user_name: str, email: str | None) -> str | None:
    """Return the address a person signs in with: a userName that is an e-mail address, else the primary e-mail."""
    name = without_tombstone(user_name)
    return name if is_email_address(name) else email
