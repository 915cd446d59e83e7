"""Limits: what fits is served, one more is refused, far more is refused as fast, always as a SCIM error."""

import json

import httpx
import make
import pytest

from scim_app.protocol import limits
from scim_app.protocol.callers import RateLimit, TooManyRequests

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def is_error(answer: httpx.Response, status: int) -> bool:
    """Whether an answer is a SCIM error of this status."""
    body = answer.json()
    return (answer.status_code, body["status"], body["schemas"]) == (status, str(status), [ERROR])


@pytest.mark.rfc("limits")
def test_the_size_of_a_body_is_limited_announced_or_not(scim: httpx.Client) -> None:
    most = limits.RESOURCE.body
    body = json.dumps(make.user("ada")).encode()
    assert scim.post("/Users", content=body.ljust(most)).status_code == 201
    assert is_error(scim.post("/Users", content=body.ljust(most + 1)), 413)
    assert is_error(scim.post("/Users", content=iter([body, b" " * most])), 413)
    assert is_error(scim.post("/Users", content=iter([b" " * most] * 20)), 413)
    assert scim.get("/Users").json()["totalResults"] == 1


@pytest.mark.rfc("limits", "media-type")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 201),
        ({"Content-Type": "application/scim+json; charset=UTF-8"}, 201),
        ({"Content-Type": 'application/scim+json; charset="utf-8"'}, 201),
        ({"Content-Encoding": "identity"}, 201),
        ({"Content-Type": "application/scim+json; charset=utf-16"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "br, identity"}, 415),
    ],
)
def test_only_plain_json_in_utf_8_is_read(scim: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = scim.post("/Users", content=json.dumps(make.user("ada")).encode(), headers=headers)
    assert answer.status_code == status
    assert status == 201 or is_error(answer, 415)


@pytest.mark.rfc("limits", "count")
@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"count": "-1"}, 0),
        ({"count": "0"}, 0),
        ({"count": "-99999999999999999999"}, 0),
        ({"count": "99999999999999999999"}, 2),
        ({"count": " 1"}, 1),
        ({"startIndex": "-5"}, 2),
        ({"startIndex": "2147483648"}, 0),
        ({"startIndex": "99999999999999999999"}, 0),
    ],
)
def test_counts_of_any_size_are_understood(scim: httpx.Client, parameters: dict[str, str], shown: int) -> None:
    for name in ("a", "b"):
        scim.post("/Users", json=make.user(name))
    page = scim.get("/Users", params=parameters).json()
    assert (page["totalResults"], page["itemsPerPage"], len(page["Resources"])) == (2, shown, shown)


@pytest.mark.parametrize("text", ["1.5", "1e2", "٣", "0x1", "1_0", "", "true", "9" * 5_000])
def test_a_count_that_is_no_number_is_refused(scim: httpx.Client, text: str) -> None:
    for name in ("count", "startIndex"):
        assert is_error(scim.get("/Users", params={name: text}), 400)


@pytest.mark.rfc("rate")
def test_a_token_that_asks_too_fast_is_told_for_how_many_whole_seconds_to_wait() -> None:
    rate = RateLimit(rate=0.5, burst=3)
    for _ in range(3):
        rate.require("one")
    with pytest.raises(TooManyRequests) as refused:
        rate.require("one")
    assert (refused.value.status, refused.value.seconds) == (429, 2)
    rate.require("other")
    unlimited = RateLimit(rate=0, burst=1)
    for _ in range(10):
        unlimited.require("one")
