"""What is read of a body and of a filter: strict, within limits, in linear time."""

import json
import time

import pytest
from scim2_models import SCIMException

from scim_app.protocol import limits
from scim_app.protocol.filter_limits import FILTER_BYTES, FILTER_NODES, check_filter, check_path
from scim_app.protocol.limits import DEPTH, NUMBER, STRING, Size, read_json

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
        (b'{"a":[{"b":1},{"b":1,"B":2}]}', "invalidSyntax"),
        (b'{"a":[{"b":1},{"b":1e17}]}', "invalidValue"),
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
    with pytest.raises(SCIMException, match="; "):  # what to do
        read_json(body, limits.RESOURCE)


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
        (f"title eq {NUMBER}", True),
        (f"title eq {NUMBER + 1}", False),
        (f"title eq -{NUMBER + 1}", False),
        (f"title eq {'9' * 300}", False),
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
    assert "; " in (refused.value.detail or ""), "what to do"


@pytest.mark.parametrize("path", ["emails[" + "x" * FILTER_BYTES, r'members[value eq "\ud800"]', "emails[value eq"])
def test_the_filter_in_a_path_has_the_same_limits(path: str) -> None:
    with pytest.raises(SCIMException) as refused:
        check_path(path)
    assert refused.value.scim_type == "invalidPath"
    assert "; " in (refused.value.detail or ""), "what to do"
