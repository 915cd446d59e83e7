"""Why a request of an identity provider was refused, in plain words, and what to do about it."""

from collections.abc import Callable

from scim_app.directory.token_faults import TOKEN_FAILURES, Failure, TokenFault

SCIM_OFF = "SCIM provisioning is switched off"
SEATS_TAKEN = "seat limit"
NOT_AN_EMAIL = "username format"
NOT_OFFERED = "a group is linked to it only after an admin has offered it"
"""Words by which the details of refusals are told apart."""

_UNKNOWN = Failure(
    "refused", "The request was refused.", "Read the detail; compare the attribute mapping with the guide."
)

_Matches = Callable[[int, str, str], bool]


def _status(status: int) -> _Matches:
    return lambda found, _type, _detail: found == status


def _type(*names: str) -> _Matches:
    return lambda _status, found, _detail: found in names


def _says(words: str) -> _Matches:
    return lambda _status, _type, detail: words.casefold() in detail.casefold()


_TABLE: tuple[tuple[_Matches, Failure], ...] = (
    (
        _says(SCIM_OFF),
        Failure(
            "scim_off",
            "SCIM provisioning is switched off for the organization.",
            "Switch it on under Provisioning, or pause provisioning in the identity provider.",
        ),
    ),
    (
        _says(SEATS_TAKEN),
        Failure(
            "no_seat_left",
            "Every seat of the organization is taken.",
            "Deactivate accounts that nobody uses, or raise the seat limit; then retry in the identity provider.",
        ),
    ),
    (
        _says(NOT_AN_EMAIL),
        Failure(
            "user_name_is_no_email",
            "The userName is not an e-mail address, and the organization asks for one.",
            "Set the application username format to Email in the identity provider, then push again.",
        ),
    ),
    (
        _status(401),
        Failure(
            "bad_token",
            "The token is missing, mistyped, expired, revoked, or of another organization.",
            "Make a token under Tokens, put it into the identity provider and test the connection.",
        ),
    ),
    (
        _says(NOT_OFFERED),
        Failure(
            "team_not_offered",
            "The group asks for a team that holds Admin or above, and no admin has offered it.",
            "Open the team, check the preview and choose Link to a group, then push again; or rename the group.",
        ),
    ),
    (
        _type("uniqueness"),
        Failure(
            "name_taken",
            "Another account or team has this name or externalId.",
            "Link it instead of creating it: match on userName (users), or Link Group (teams); or rename the other.",
        ),
    ),
    (
        _type("mutability"),
        Failure(
            "read_only_attribute",
            "An attribute that only the service writes was sent.",
            "Take the attribute out of the attribute mapping.",
        ),
    ),
    (
        _type("invalidPath", "noTarget"),
        Failure(
            "unknown_attribute",
            "The attribute mapping names an attribute that does not exist.",
            "Correct or remove that line of the attribute mapping; the detail names it.",
        ),
    ),
    (
        _type("invalidValue"),
        Failure(
            "bad_value",
            "A value is missing or of the wrong form.",
            "Correct the value on the person's or group's profile, or its line of the attribute mapping.",
        ),
    ),
    (
        _type("invalidFilter", "tooMany"),
        Failure(
            "bad_filter",
            "The search that matches accounts could not be understood.",
            "Match on userName (users) and displayName (groups), as the guide shows.",
        ),
    ),
    (
        _status(404),
        Failure(
            "not_found",
            "The account or team does not exist here; it may have been removed.",
            "Unlink and push it again, so that the identity provider looks it up anew.",
        ),
    ),
    (
        _status(409),
        Failure("conflict", "The request contradicts what is there.", "Push it again; it reads the present state."),
    ),
    (
        _status(412),
        Failure(
            "changed_meanwhile",
            "Somebody else changed it since it was read.",
            "Nothing: the identity provider reads it again and retries.",
        ),
    ),
    (
        _status(413),
        Failure(
            "too_large", "The request is too large.", "Push fewer members at once, or split the group; see the limits."
        ),
    ),
    (
        _status(429),
        Failure(
            "too_many_requests",
            "More requests came than are taken in that time.",
            "Nothing: the identity provider waits and retries.",
        ),
    ),
    (
        lambda status, kind, _detail: kind == "invalidSyntax" or status == 415,
        Failure(
            "malformed",
            "The body is not the JSON that SCIM asks for.",
            "Check that the connector speaks SCIM 2.0 and sends application/scim+json.",
        ),
    ),
    (
        _status(403),
        Failure("forbidden", "The request is not allowed.", "Read the detail: it names the rule."),
    ),
    (
        lambda status, _type, _detail: status in (405, 501),
        Failure(
            "not_supported",
            "The service does not have this operation.",
            "Switch the feature off in the connector; /ServiceProviderConfig lists those there are.",
        ),
    ),
    (
        lambda status, _type, _detail: status >= 500,
        Failure(
            "service_failed",
            "The service could not answer.",
            "Nothing: the identity provider retries. If it lasts, look at the service's log for the request id.",
        ),
    ),
)

STRANGER = Failure(
    "anonymous",
    "More requests came without a valid token; they are counted without a row of their own.",
    "Nothing, if they are not yours: nobody was let in. Their address is limited.",
)
FAILURES = (*(failure for _, failure in _TABLE), *TOKEN_FAILURES.values(), STRANGER, _UNKNOWN)
"""Every cause there is."""
_BY_CAUSE = {failure.cause: failure for failure in FAILURES}
STRANGERS = frozenset({*TokenFault, STRANGER.cause, "bad_token"}) - {TokenFault.REVOKED, TokenFault.EXPIRED}
"""Causes of refusals of nobody in particular; whoever presents a token that is over was somebody."""


def failure_of(cause: str | None) -> Failure | None:
    """Return what a cause means, None where there is no such cause."""
    return _BY_CAUSE.get(cause or "")


def failure_of_answer(status: int, scim_type: str | None, detail: str | None, cause: str | None) -> Failure | None:
    """Return why a request was refused, by its cause where that is known already; None where it was answered."""
    if status < 400:
        return None
    return failure_of(cause) or explain_failure(status, scim_type, detail)


def explain_failure(status: int | None, scim_type: str | None, detail: str | None) -> Failure:
    """Return the cause of a refusal, from its HTTP status, SCIM error type and detail; the first that fits."""
    told = (status or 0, scim_type or "", detail or "")
    return next((failure for matches, failure in _TABLE if matches(*told)), _UNKNOWN)
