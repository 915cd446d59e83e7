"""Values that a person or a program chooses from; anything else is refused with the list of them."""

from collections.abc import Iterable


def require_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a value that is none of the choices; an empty one chooses nothing.

    Raises:
        ValueError: with the choices.
    """
    valid = [str(choice) for choice in choices]
    if value and value not in valid:
        raise ValueError(f"there is no {name} {value!r}; choose one of: {', '.join(valid)}")
