"""What makes a sign-in at an OpenID provider believable, tried against a provider that lies."""

from collections.abc import Generator
from typing import Any

import pytest
from hostile_provider import CLIENT_ID, CLIENT_SECRET, EC, RSA, SHARED, STRANGER, Answers, noting, provider

from scim_app.admin.oidc import Identity, Provider, SignInRefused

CALLBACK = "http://127.0.0.1:8000/_/callback"


@pytest.fixture
def lying() -> Generator[tuple[str, Answers]]:
    with provider() as made:
        yield made


def sign_in(lying: tuple[str, Answers], *, trust_email: bool = False, **changed: Any) -> Identity:
    """A whole sign-in; `changed` is what the browser brings back instead."""
    issuer, answers = lying
    signing = Provider(issuer, CLIENT_ID, CLIENT_SECRET, trust_email=trust_email)
    url, flow = signing.start(CALLBACK)
    asked = noting(answers, url)
    query = {"state": asked["state"], "code": "a code", **changed}
    return signing.finish(flow, {name: value for name, value in query.items() if value is not None}, CALLBACK)


def without(name: str) -> Any:
    return lambda honest: {key: value for key, value in honest.items() if key != name}


def replacing(**values: Any) -> Any:
    return lambda honest: honest | values


def moved(name: str, seconds: int) -> Any:
    return lambda honest: honest | {name: honest[name] + seconds}


@pytest.mark.parametrize(("alg", "key"), [("RS256", RSA), ("PS256", RSA), ("ES256", EC)])
def test_an_honest_provider_is_believed(lying: tuple[str, Answers], alg: str, key: Any) -> None:
    lying[1].alg, lying[1].key = alg, key
    assert sign_in(lying) == Identity(lying[0], "s-1", "ada@example.com", "s-1")


def test_the_browser_is_sent_with_a_proof_key_and_nothing_that_can_be_guessed(lying: tuple[str, Answers]) -> None:
    signing = Provider(lying[0], CLIENT_ID, CLIENT_SECRET)
    url, flow = signing.start(CALLBACK)
    asked = noting(lying[1], url)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == CALLBACK
    assert flow["verifier"] not in url
    assert flow != signing.start(CALLBACK)[1]


def test_who_signs_in_again_proves_it_anew_and_when_is_told(lying: tuple[str, Answers]) -> None:
    asked = noting(lying[1], Provider(lying[0], CLIENT_ID, CLIENT_SECRET).start(CALLBACK, again=True)[0])
    assert (asked["prompt"], asked["max_age"]) == ("login", "300")
    assert "prompt" not in noting(lying[1], Provider(lying[0], CLIENT_ID, CLIENT_SECRET).start(CALLBACK)[0])
    assert sign_in(lying).authenticated_at is None
    lying[1].claims = replacing(auth_time=1_800_000_000)
    assert sign_in(lying).authenticated_at == 1_800_000_000


LIES: dict[str, dict[str, Any]] = {
    "signed by nobody": {"alg": "none"},
    "signed with the shared secret": {"alg": "HS256", "key": SHARED},
    "signed by an algorithm that is not allowed": {"alg": "RS512"},
    "signed by a stranger": {"key": STRANGER},
    "no keys": {"keys": lambda _: {"keys": []}},
    "keys that are none": {"keys": lambda _: {"keys": "x"}},
    "keys of ten megabytes": {"keys": lambda _: {"keys": [], "padding": "x" * 10_000_000}},
    "metadata that is no object": {"metadata": lambda _: [1]},
    "metadata without addresses": {"metadata": without("token_endpoint")},
    "metadata of another issuer": {"metadata": replacing(issuer="https://evil.example")},
    "an address without TLS": {"metadata": replacing(token_endpoint="http://evil.example/token")},
    "keys at an address without TLS": {"metadata": replacing(jwks_uri="http://evil.example/keys")},
    "a file as address": {"metadata": replacing(jwks_uri="file:///etc/passwd")},
    "another issuer": {"claims": replacing(iss="https://evil.example")},
    "no issuer": {"claims": without("iss")},
    "another audience": {"claims": replacing(aud="another client")},
    "no audience": {"claims": without("aud")},
    "an empty audience": {"claims": replacing(aud=[])},
    "several audiences and no authorized party": {"claims": replacing(aud=[CLIENT_ID, "another"])},
    "another authorized party": {"claims": replacing(azp="another client")},
    "another nonce": {"claims": replacing(nonce="another")},
    "no nonce": {"claims": without("nonce")},
    "no subject": {"claims": without("sub")},
    "an empty subject": {"claims": replacing(sub="")},
    "a number as subject": {"claims": replacing(sub=7)},
    "expired": {"claims": moved("exp", -1000)},
    "no expiry": {"claims": without("exp")},
    "an expiry that is no number": {"claims": replacing(exp="soon")},
    "issued in the future": {"claims": moved("iat", 4000)},
    "not valid before tomorrow": {"claims": replacing(nbf=2**33)},
    "another access token": {"claims": replacing(at_hash="bm90IHRoZSBoYXNo")},
    "a time of the sign-in that is no number": {"claims": replacing(auth_time="now")},
    "no ID token": {"token": without("id_token")},
    "an ID token that is none": {"token": replacing(id_token="a.b.c")},
    "an ID token that is a number": {"token": replacing(id_token=7)},
    "an error instead of a token": {"token": lambda _: {"error": "invalid_grant"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused(lying: tuple[str, Answers], lie: str) -> None:
    for name, value in LIES[lie].items():
        setattr(lying[1], name, value)
    with pytest.raises(SignInRefused):
        sign_in(lying)


@pytest.mark.parametrize(
    "brought",
    [
        {"state": "another"},
        {"state": None},
        {"state": ""},
        {"iss": "https://evil.example"},
        {"code": None},
        {"code": None, "error": "access_denied"},
    ],
)
def test_a_browser_that_brings_something_else_is_refused(lying: tuple[str, Answers], brought: Any) -> None:
    with pytest.raises(SignInRefused):
        sign_in(lying, **brought)
    assert "/token" not in lying[1].asked


def test_a_code_of_another_browser_is_worth_nothing(lying: tuple[str, Answers]) -> None:
    signing = Provider(lying[0], CLIENT_ID, CLIENT_SECRET)
    noting(lying[1], signing.start(CALLBACK)[0])
    _, flow = signing.start(CALLBACK)
    with pytest.raises(SignInRefused):
        signing.finish(flow, {"state": flow["state"], "code": "stolen"}, CALLBACK)


@pytest.mark.parametrize("verified", [False, None, "false", 0, "yes"])
def test_an_address_that_nobody_verified_is_not_told(lying: tuple[str, Answers], verified: Any) -> None:
    lying[1].claims = replacing(email_verified=verified)
    assert sign_in(lying).email is None
    assert sign_in(lying, trust_email=True).email == "ada@example.com"


def test_an_address_of_somebody_else_in_userinfo_is_not_believed(lying: tuple[str, Answers]) -> None:
    lying[1].claims = without("email")
    lying[1].userinfo = {"sub": "s-2", "email": "boss@example.com", "email_verified": True}
    assert sign_in(lying).email is None
    lying[1].userinfo = {"sub": "s-1", "email": "ada@example.com", "email_verified": True}
    assert sign_in(lying).email == "ada@example.com"


def test_new_keys_are_learned_when_the_provider_changes_them(lying: tuple[str, Answers]) -> None:
    signing = Provider(lying[0], CLIENT_ID, CLIENT_SECRET)
    for alg, key in (("RS256", RSA), ("ES256", EC)):
        lying[1].alg, lying[1].key = alg, key
        url, flow = signing.start(CALLBACK)
        noting(lying[1], url)
        assert signing.finish(flow, {"state": flow["state"], "code": "c"}, CALLBACK).subject == "s-1"


def test_a_provider_that_is_away_says_so(lying: tuple[str, Answers]) -> None:
    with pytest.raises(SignInRefused, match="can't be reached"):
        Provider("http://127.0.0.1:9", CLIENT_ID, CLIENT_SECRET).start(CALLBACK)
