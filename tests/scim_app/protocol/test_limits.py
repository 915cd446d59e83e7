"""Limits: what fits is served, one more is refused, far more is refused as fast, always as a SCIM error."""

import json
import time
from typing import Any

import httpx
import make
import pytest
from scim2_models import SCIMException

from scim_app.protocol import limits
from scim_app.protocol.filter_limits import FILTER_BYTES, FILTER_NODES, check_filter, check_path
from scim_app.protocol.limits import DEPTH, NAME, NUMBER, STRING, Size, read_json
from scim_app.protocol.rate import RateLimit, TooManyRequests

SMALL = Size(body=1_000, nodes=100)
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def outcome(body: bytes, size: Size = limits.RESOURCE) -> int | str:
    """Status or scimType of a refusal, 200 when the body is read."""
    try:
        read_json(body, size)
    except SCIMException as refused:
        return refused.scim_type or refused.status
    return 200


def nested(depth: int) -> bytes:
    """An object in which lists are nested, `depth` levels in all."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def many(values: int) -> bytes:
    """An object with a list, so that there are `values` commas and brackets."""
    return b'{"a":[' + b",".join([b"1"] * (values - 1)) + b"]}"


@pytest.mark.rfc("limits")
@pytest.mark.parametrize(
    ("at", "past", "far", "refusal"),
    [
        (nested(DEPTH), nested(DEPTH + 1), nested(100), "invalidSyntax"),
        (many(SMALL.nodes), many(SMALL.nodes + 1), many(SMALL.nodes * 1_000), 413),
        (
            json.dumps({"a": "x" * STRING}).encode(),
            json.dumps({"a": "x" * (STRING + 1)}).encode(),
            json.dumps({"a": "x" * (STRING * 100)}).encode(),
            "invalidValue",
        ),
        (
            json.dumps({"x" * STRING: 1}).encode(),
            json.dumps({"x" * (STRING + 1): 1}).encode(),
            json.dumps({"x" * (STRING * 100): 1}).encode(),
            "invalidValue",
        ),
        (b'{"a":%d}' % NUMBER, b'{"a":%d}' % (NUMBER + 1), b'{"a":%s}' % (b"9" * 300), "invalidValue"),
        (b'{"a":-%d}' % NUMBER, b'{"a":-%d}' % (NUMBER + 1), b'{"a":-%s}' % (b"9" * 300), "invalidValue"),
    ],
    ids=["depth", "values", "string", "name", "number", "negative number"],
)
def test_a_body_is_read_up_to_its_limits(at: bytes, past: bytes, far: bytes, refusal: int | str) -> None:
    assert [outcome(body, SMALL) for body in (at, past, far)] == [200, refusal, refusal]


@pytest.mark.rfc("limits", "json-strict")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"a":1,"a":2}', "invalidSyntax"),
        (b'{"active":true,"Active":false}', "invalidSyntax"),
        (b'{"a":{"b":1,"b":1}}', "invalidSyntax"),
        (rb'{"a":1,"\u0061":2}', "invalidSyntax"),
        (b'{"a":NaN}', "invalidSyntax"),
        (b'{"a":Infinity}', "invalidSyntax"),
        (b'{"a":-Infinity}', "invalidSyntax"),
        (b'{"a":1e400}', "invalidSyntax"),
        (b'{"a":' + b"9" * 5_000 + b"}", "invalidSyntax"),
        (rb'{"a":"\ud800"}', "invalidSyntax"),
        (rb'{"a":"\udc00\ud800"}', "invalidSyntax"),
        (b'{"a":"\xed\xa0\x80"}', "invalidSyntax"),
        (b'{"a":"\xff"}', "invalidSyntax"),
        (b"\xff\xfe{\x00}\x00", "invalidSyntax"),
        (b'\xef\xbb\xbf{"a":1}', "invalidSyntax"),
        (rb'{"a":"\u0000"}', "invalidValue"),
        (rb'{"a":"\u001b[31m"}', "invalidValue"),
        (b'{"a":"\x7f"}', "invalidValue"),
        (rb'{"\u0000":1}', "invalidValue"),
        (b'{"a":"\x01"}', "invalidSyntax"),
        (b'{"a":1}{"b":2}', "invalidSyntax"),
        (b"{'a':1}", "invalidSyntax"),
        (b'{"a":1,}', "invalidSyntax"),
        (b'{"a":"' + b'\\"' * 400_000, "invalidSyntax"),
        (b"null", "invalidSyntax"),
        (b"", "invalidSyntax"),
    ],
)
def test_what_is_no_strict_json_is_refused(body: bytes, refusal: str) -> None:
    assert outcome(body) == refusal


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"1 Main St\\nParis\\tFR","b":"c:d,e[f]{g}","c":"\\\\u0000","d":"\\"","urn:x:y":{"a":null}}',
        '{"a":"𝔘𝔫𝔦 👩‍👩‍👧 عربي","b":[{},[],""],"c":1.5}'.encode(),
        rb'{"a":"\ud83d\ude00"}',
        b' \r\n\t{"a" : 1 }\n',
    ],
)
def test_what_people_write_is_read(body: bytes) -> None:
    assert read_json(body, limits.RESOURCE) == json.loads(body)


def test_a_body_is_checked_in_linear_time() -> None:
    def seconds(size: int) -> float:
        bodies = [b'"' + b'\\"' * size, b'{"a":' * size, b'["' * size, b'{"a":"' + b"\\" * size + b'"}']
        start = time.process_time()
        for body in bodies:
            outcome(body, Size(body=1, nodes=10**9))
        return time.process_time() - start

    small = min(seconds(100_000) for _ in range(3))
    assert min(seconds(800_000) for _ in range(3)) < 8 * 4 * small + 0.05


@pytest.mark.rfc("limits")
@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('title eq "' + "x" * (FILTER_BYTES - 11) + '"', True),
        ('title eq "' + "x" * (FILTER_BYTES - 10) + '"', False),
        ('title eq "' + "é" * (FILTER_BYTES // 2) + '"', False),
        ('title eq "' + "x" * FILTER_BYTES * 100, False),
        (" or ".join(["title pr"] * (FILTER_NODES - 1)), True),
        (" or ".join(["title pr"] * FILTER_NODES), False),
        (" or ".join(["a pr"] * FILTER_NODES), False),
        ("not (" * 31 + "title pr" + ")" * 31, True),
        ("not (" * 33 + "title pr" + ")" * 33, False),
        ("(" * 2_000 + "a pr", False),
        (r'title eq "\u0000"', False),
        (r'title eq "\ud800"', False),
        (r'title eq "\ud83d\ude00"', True),
        ("title eq 9007199254740993", False),
        ("title eq 1e400", False),
        ('emails[value eq "\\u0000"]', False),
    ],
)
def test_a_filter_is_compiled_up_to_its_limits(text: str, fits: bool) -> None:
    if fits:
        assert check_filter(text) == text
        return
    with pytest.raises(SCIMException) as refused:
        check_filter(text)
    assert refused.value.scim_type == "invalidFilter"


@pytest.mark.parametrize("path", ["emails[" + "x" * FILTER_BYTES, r'members[value eq "\ud800"]', "emails[value eq"])
def test_the_filter_in_a_path_has_the_same_limits(path: str) -> None:
    with pytest.raises(SCIMException) as refused:
        check_path(path)
    assert refused.value.scim_type == "invalidPath"


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


@pytest.mark.rfc("limits")
def test_names_have_a_longest_form(scim: httpx.Client) -> None:
    assert scim.post("/Users", json=make.user("x" * NAME)).status_code == 201
    assert scim.post("/Groups", json=make.group("é" * NAME)).status_code == 201
    for length in (NAME + 1, NAME * 20):
        answer = scim.post("/Users", json=make.user("y" * length))
        assert is_error(answer, 400)
        assert answer.json()["scimType"] == "invalidValue"


@pytest.mark.rfc("limits")
def test_a_patch_has_a_most_of_operations(scim: httpx.Client) -> None:
    ada = scim.post("/Users", json=make.user("ada")).json()
    one: dict[str, Any] = {"op": "replace", "path": "title", "value": "CTO"}
    path, most = f"/Users/{ada['id']}", limits.PATCH_OPERATIONS
    assert scim.patch(path, json=make.patch(*[one] * most)).status_code == 200
    assert is_error(scim.patch(path, json=make.patch(*[one] * (most + 1))), 413)


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
        rate.take("one")
    with pytest.raises(TooManyRequests) as refused:
        rate.take("one")
    assert (refused.value.status, refused.value.seconds) == (429, 2)
    rate.take("other")
    unlimited = RateLimit(rate=0, burst=1)
    for _ in range(10):
        unlimited.take("one")
