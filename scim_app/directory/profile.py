"""The document of a user that an admin keeps by hand: made, and changed field by field."""

from collections.abc import Mapping
from typing import Any

from scim_app.directory.kinds import Document

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"


def new(user_name: str, name: Mapping[str, str], display_name: str | None) -> Document:
    """Return the document of a new user, who is called by its name where no other is given.

    Args:
        user_name: the e-mail address that signs in.
        name: `givenName` and `familyName`, each empty where there is none.
        display_name: what people call the user.
    """
    held = {key: value.strip() for key, value in name.items() if value.strip()}
    shown = (display_name or "").strip() or " ".join(held.values())
    document = {"schemas": [SCHEMA], "userName": user_name, "active": True}
    optional = {"displayName": shown, "name": held}
    emails = [{"value": user_name, "type": "work", "primary": True}]
    return document | {key: value for key, value in optional.items() if value} | {"emails": emails}


def fields_of(document: Document) -> dict[str, str]:
    """Return what `edited` changes of a user: `user_name`, `given_name`, `family_name`, `display_name`."""
    name = document.get("name") or {}
    held = (document.get("userName"), name.get("givenName"), name.get("familyName"), document.get("displayName"))
    names = ("user_name", "given_name", "family_name", "display_name")
    return {field: value or "" for field, value in zip(names, held, strict=True)}


def edited(
    document: Document, user_name: str | None, name: Mapping[str, str | None], display_name: str | None
) -> Document:
    """Return a user's document with some fields changed: None leaves one as it is, an empty text takes it away.

    An e-mail address that was the user name goes with it.
    """
    after = dict(document)
    if user_name is not None:
        after["userName"] = user_name.strip()
        after["emails"] = _moved(document.get("emails"), document.get("userName"), after["userName"])
    given = {key: value.strip() for key, value in name.items() if value is not None}
    after["name"] = {key: value for key, value in ({**(document.get("name") or {}), **given}).items() if value}
    if display_name is not None:
        after["displayName"] = display_name.strip()
    return {key: value for key, value in after.items() if value not in ("", {}, None)}


def _moved(emails: Any, before: Any, after: str) -> Any:
    if not isinstance(emails, list):
        return emails
    return [{**one, "value": after} if one.get("value") == before else one for one in emails]
