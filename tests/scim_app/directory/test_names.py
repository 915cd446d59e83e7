"""Names that people take for one name are one name."""

import pytest

from scim_app.directory.names import fold, sign_in_address


@pytest.mark.rfc("precis")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.com", "ADA@EXAMPLE.COM"),
        ("straße", "STRASSE"),
        ("ﬁona", "fiona"),
        ("josé", "jose\u0301"),
        ("Ａda", "ada"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_names_that_differ_in_writing_only_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("ada", "adá"), ("ada", "ada "), ("i", "ı"), ("a", "а")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("user_name", "email", "address"),
    [
        ("ada@example.com", "other@example.com", "ada@example.com"),
        ("ada", "ada@example.com", "ada@example.com"),
        ("ada", None, None),
        ("0123456789abcdef0123456789abcdefada@example.com", None, "ada@example.com"),
    ],
)
def test_people_sign_in_with_an_email_address(user_name: str, email: str | None, address: str | None) -> None:
    assert sign_in_address(user_name, email) == address
