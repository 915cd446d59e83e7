"""Small values that a browser keeps for us: signed, so that it can't change them, and only for a while."""

import base64
import hashlib
import hmac
import time
from typing import Any

import orjson


def seal(key: bytes, purpose: str, value: Any, *, seconds: int) -> str:
    """Return a JSON value as text that `unseal` accepts for some seconds; it is readable, not secret."""
    body = base64.urlsafe_b64encode(orjson.dumps([int(time.time()) + seconds, value])).decode().rstrip("=")
    return f"{body}.{_sign(key, purpose, body)}"


def unseal(key: bytes, purpose: str, text: str | None) -> Any:
    """Return the value that was sealed for this purpose; None when the text is not ours or too old."""
    body, _, signature = (text or "").partition(".")
    if not same(signature, _sign(key, purpose, body)):
        return None
    until, value = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return value if until > time.time() else None


def token_for(key: bytes, purpose: str, text: str) -> str:
    """Return a token that follows from a text and that nobody without the key can make."""
    return _sign(key, purpose, text)


def same(offered: str, expected: str) -> bool:
    """Tell whether two texts are equal, in a time that says nothing about where they differ."""
    return hmac.compare_digest(offered.encode(), expected.encode())


def _sign(key: bytes, purpose: str, text: str) -> str:
    return hmac.new(key, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()
