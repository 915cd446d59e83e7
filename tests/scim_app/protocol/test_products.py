"""A product that is too large is refused before its work begins, with what to do."""

from pathlib import Path

import make
import pytest
from asgi import Answer, Client
from in_process import EMAILS, Run, runner


@pytest.fixture
def run(folder: Path) -> Run:
    """Run requests of a fresh organization in an application of their own."""
    return runner(folder)


def either(comparison: str, count: int) -> str:
    """A filter of so many comparisons."""
    return " or ".join(comparison.format(number) for number in range(count))


@pytest.mark.parametrize(
    ("path", "query", "advice"),
    [
        ("/Users", {"filter": either('groups.display co "{}"', 140)}, "ask in parts"),
        ("/Groups", {"filter": either('members.display co "{}"', 11)}, "ask in parts"),
        ("/Groups", {"filter": either('members[display co "{}"]', 11)}, "ask in parts"),
        ("/Users", {"filter": either('emails.value co "{}"', 130)}, "ask in parts"),
        ("/Users", {"filter": either('emails[type eq "{}"]', 51)}, "ask in parts"),
        ("/Users", {"attributes": ",".join(["userName"] * 101)}, "name at most 100"),
        ("/Users", {"ExcludedAttributes": ",".join(["title"] * 101)}, "name at most 100"),
        ("/Users/{id}", {"attributes": ",".join(["userName"] * 1_000)}, "name at most 100"),
    ],
)
def test_a_product_that_is_too_large_is_refused_before_anything_is_read(
    run: Run, path: str, query: dict[str, str], advice: str
) -> None:
    async def ask(scim: Client) -> Answer:
        created = (await scim("POST", "/Users", make.user("ada"))).json()
        return await scim("GET", path.format(id=created["id"]), query=query)

    body = run(ask).json()
    assert (body["status"], body.get("scimType")) == ("400", "tooMany")
    assert advice in body["detail"]


def test_as_many_comparisons_and_names_as_are_allowed_are_served(run: Run) -> None:
    async def ask(scim: Client) -> list[int]:
        filters = (either('groups.display co "{}"', 10), either('emails.value co "{}"', 50), either('id eq "{}"', 199))
        answers = [await scim("GET", "/Users", query={"filter": text}) for text in filters]
        answers.append(await scim("GET", "/Users", query={"attributes": ",".join(["userName"] * 100)}))
        return [answer.status for answer in answers]

    assert run(ask) == [200] * 4


def test_a_search_by_post_names_no_more_attributes_either(run: Run) -> None:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"] * 101}

    async def ask(scim: Client) -> Answer:
        return await scim("POST", "/Users/.search", body)

    assert run(ask).json()["scimType"] == "tooMany"


def test_operations_times_values_of_a_patch_are_limited(run: Run) -> None:
    one = [{"op": "replace", "path": f'emails[value eq "{EMAILS[n]["value"]}"].type', "value": "x"} for n in range(200)]

    async def ask(scim: Client) -> list[Answer]:
        created = (await scim("POST", "/Users", make.user("ada", emails=EMAILS))).json()
        place = f"/Users/{created['id']}"
        bulk = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "PATCH", "path": place, "data": make.patch(part)} for part in one[:50]],
        }
        return [
            await scim("PATCH", place, make.patch(*one)),
            await scim("POST", "/Bulk", bulk),
            await scim("GET", place),
        ]

    patched, bulk, after = run(ask)
    for refused in (patched, bulk):
        assert refused.status == 413
        assert "fewer operations at once" in refused.json()["detail"]
    assert (after.json()["emails"], after.json()["meta"]["version"]) == (EMAILS, 'W/"1"')


def test_filters_over_members_of_a_patch_are_limited_with_the_members(run: Run) -> None:
    some = [{"op": "remove", "path": f'members[display co "{number}"]'} for number in range(201)]

    async def ask(scim: Client) -> list[Answer]:
        members = [f"m{number}" for number in range(1_000)]
        created = (await scim("POST", "/Groups", make.group("Data", *members))).json()
        place = f"/Groups/{created['id']}"
        return [await scim("PATCH", place, make.patch(*some)), await scim("PATCH", place, make.patch(*some[:2]))]

    refused, patched = run(ask)
    assert (refused.status, patched.status) == (413, 204)
