"""What a filter compares with, in the form that stored values have."""

from base64 import b64encode
from datetime import datetime
from typing import Any

from scim2_models import InvalidFilterException
from scim2_models.path import AttributeBinding, Comparison, coerce_value

from scim_app.directory.names import composed, fold, lower
from scim_app.store.db.stamps import instant
from scim_app.store.search.attributes import is_exact, scim_path


def operand(binding: AttributeBinding, node: Comparison, *, unique: str = "") -> Any:
    """Return what a filter compares with, in the form that the stored value has."""
    value = coerce_value(binding, node.value, node.op)
    if isinstance(value, str) and "\0" in value:
        raise InvalidFilterException(detail="a filter can't compare with the character NUL (U+0000); leave it out")
    if isinstance(value, bytes):
        return b64encode(value).decode()  # the form that the library stores (RFC 4648 §4)
    if isinstance(value, datetime):
        return _moment(value)
    if not isinstance(value, str):
        return value
    form = composed if is_exact(binding) else fold if scim_path(binding) == [unique] else lower
    return form(value)


def _moment(value: datetime) -> str:
    try:
        return instant(value)
    except OverflowError as error:
        raise InvalidFilterException(detail="in UTC, that is before the year 1 or after 9999") from error
