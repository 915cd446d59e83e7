"""Every refusal has a cause in plain words and says what to do."""

import pytest

from scim_app.directory.failures import FAILURES, NOT_OFFERED, explain_failure


@pytest.mark.parametrize(
    ("status", "scim_type", "detail", "cause"),
    [
        (401, None, None, "bad_token"),
        (403, None, "SCIM provisioning is switched off for this organization", "scim_off"),
        (403, None, "the seat limit of 5 is reached", "no_seat_left"),
        (403, None, "no", "forbidden"),
        (409, "uniqueness", "userName 'x' is taken", "name_taken"),
        (409, "uniqueness", f"team 'x' exists: {NOT_OFFERED}", "team_not_offered"),
        (400, "invalidPath", "", "unknown_attribute"),
        (400, "invalidSyntax", "", "malformed"),
        (404, None, "User x not found", "not_found"),
        (412, None, None, "changed_meanwhile"),
        (500, None, None, "service_failed"),
        (400, None, None, "refused"),
        (None, None, None, "refused"),
    ],
)
def test_a_refusal_has_a_cause(status: int | None, scim_type: str | None, detail: str | None, cause: str) -> None:
    assert explain_failure(status, scim_type, detail).cause == cause


def test_each_cause_says_what_it_means_and_what_to_do_once() -> None:
    assert len({failure.cause for failure in FAILURES}) == len(FAILURES)
    assert all(failure.meaning.endswith(".") and failure.what_to_do.endswith(".") for failure in FAILURES)
