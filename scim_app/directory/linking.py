"""What linking a team to a group would change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scim_app.directory.names import fold


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """Names of the members that linking would add, remove and keep, and of those that would be pending."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    pending: tuple[str, ...]


def preview(members: Iterable[str], group: Iterable[str], users: Mapping[str, str]) -> LinkPreview:
    """Return what changes when a team's members become those of a group.

    Args:
        members: user names of the team's members.
        group: user names in the group, as the identity provider has them.
        users: the user names that are provisioned, by folded name.
    """
    there = {fold(name): name for name in members}
    asked = {fold(name.strip()): name.strip() for name in group if name.strip()}
    return LinkPreview(
        added=_names(users[key] for key in asked if key in users and key not in there),
        removed=_names(name for key, name in there.items() if key not in asked),
        kept=_names(name for key, name in there.items() if key in asked),
        pending=_names(name for key, name in asked.items() if key not in users and key not in there),
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=fold))
