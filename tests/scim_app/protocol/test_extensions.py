"""Custom extensions: declared in a file, they are attributes like all others."""

import json
import re
from collections.abc import Generator
from pathlib import Path

import httpx
import make
import pytest

from scim_app.directory import extensions

STAFF = "urn:acme:params:scim:schemas:extension:staff:2.0:User"
SQUAD = "urn:acme:params:scim:schemas:extension:squad:2.0:Group"


def documented() -> list[dict[str, object]]:
    """The example of the documentation."""
    text = (make.ROOT / "docs" / "extensions.md").read_text()
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return json.loads(block)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    """A service with the extension of the documentation for users, and one for groups."""
    home: Path = tmp_path_factory.mktemp("extended")
    squad = {"id": SQUAD, "name": "Squad", "attributes": [{"name": "chapter", "type": "string", "caseExact": True}]}
    file = home / "extensions.json"
    file.write_text(json.dumps([*documented(), {"resourceType": "Group", "schema": squad}]))
    organization = make.organization(make.settings(home))
    with (
        make.service(home, DAGSTER_SCIM_EXTENSIONS=str(file)) as running,
        organization.client(running.address) as client,
    ):
        yield client


@pytest.mark.rfc("extensions")
def test_an_extension_is_stored_returned_filtered_sorted_and_patched(extended: httpx.Client) -> None:
    staff = {"costCenter": "CC-7", "level": 4, "badges": [{"value": "b1", "type": "door"}]}
    made = extended.post("/Users", json=make.user("ada", **{"schemas": [make.USER, STAFF], STAFF: staff})).json()
    extended.post("/Users", json=make.user("bob", **{STAFF: {"level": 12}}))
    assert made[STAFF] == staff
    assert STAFF in made["schemas"]
    for condition in (
        f'{STAFF}:costCenter eq "cc-7"',
        f"{STAFF}:level lt 10",
        f'{STAFF}:badges[type eq "door" and value sw "b"]',
    ):
        found = extended.get("/Users", params={"filter": condition})
        assert [one["userName"] for one in found.json()["Resources"]] == ["ada"], found.text
    by_level = extended.get("/Users", params={"sortBy": f"{STAFF}:level", "sortOrder": "descending"}).json()
    assert [one["userName"] for one in by_level["Resources"]] == ["bob", "ada"]
    change = make.patch({"op": "replace", "path": f"{STAFF}:level", "value": 5}, {"op": "add", "value": {f"{STAFF}:costCenter": "CC-8"}})  # fmt: skip  # noqa: E501
    patched = extended.patch(f"/Users/{made['id']}", json=change).json()
    assert patched[STAFF] == {**staff, "level": 5, "costCenter": "CC-8"}
    wrong = extended.patch(
        f"/Users/{made['id']}", json=make.patch({"op": "replace", "path": f"{STAFF}:level", "value": "high"})
    )
    assert (wrong.status_code, wrong.json()["scimType"]) == (400, "invalidValue")


@pytest.mark.rfc("extensions", "sort")
def test_numbers_and_truth_values_are_walked_in_their_order(folder: Path) -> None:
    kinds = {"level": {"type": "integer"}, "rate": {"type": "decimal"}, "fit": {"type": "boolean"}}
    several = {"marks": {"type": "integer", "multiValued": True}}
    attributes = [{"name": name, **kind} for name, kind in (kinds | several).items()]
    file = folder / "extensions.json"
    file.write_text(
        json.dumps([{"resourceType": "User", "schema": {"id": STAFF, "name": "Staff", "attributes": attributes}}])
    )
    organization = make.organization(make.settings(folder))
    with (
        make.service(folder, DAGSTER_SCIM_EXTENSIONS=str(file)) as running,
        organization.client(running.address) as scim,
    ):
        for name, level in {"ada": 10, "bob": 9, "cid": 100}.items():
            staff = {"level": level, "rate": level / 4, "fit": level > 9, "marks": [level, 1]}
            assert scim.post("/Users", json=make.user(name, **{STAFF: staff})).status_code == 201
        for name in kinds | several:
            found, cursor = [], ""
            while cursor is not None:
                page = scim.get("/Users", params={"sortBy": f"{STAFF}:{name}", "cursor": cursor, "count": 1}).json()
                found += [one["userName"] for one in page["Resources"]]
                cursor = page.get("nextCursor")
            assert found == ["bob", "ada", "cid"], name


@pytest.mark.rfc("extensions")
def test_groups_have_extensions_too(extended: httpx.Client) -> None:
    made = extended.post("/Groups", json=make.group("Data", **{SQUAD: {"chapter": "Berlin"}})).json()
    assert made[SQUAD] == {"chapter": "Berlin"}
    assert extended.get("/Groups", params={"filter": f'{SQUAD}:chapter eq "berlin"'}).json()["totalResults"] == 0
    assert extended.get("/Groups", params={"filter": f'{SQUAD}:chapter eq "Berlin"'}).json()["totalResults"] == 1


@pytest.mark.rfc("extensions", "discovery")
def test_discovery_shows_extensions(extended: httpx.Client) -> None:
    schema = extended.get(f"/Schemas/{STAFF}").json()
    assert [one["name"] for one in schema["attributes"]] == ["costCenter", "level", "badges"]
    user = extended.get("/ResourceTypes/User").json()
    assert {one["schema"] for one in user["schemaExtensions"]} == {make.ENTERPRISE, STAFF}
    assert extended.get("/ResourceTypes/Group").json()["schemaExtensions"][0]["schema"] == SQUAD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "not JSON"),
        (b"{}", "a JSON list"),
        (b'[{"resourceType": "Robot", "schema": {}}]', "extension 1: resourceType must be one of User, Group"),
        (b'[{"resourceType": "User"}]', "extension 1: 'schema'"),
        (b'[{"resourceType": "User", "schema": {"id": "staff", "name": "Staff", "attributes": []}}]', "extension 1"),
        (b'["x"]', "extension 1"),
        (b'[{"resourceType": "User", "schema": {"id": "urn:a:b", "name": "X", "attributes": [{"name": "a"}]}}]', "a name and a type"),  # noqa: E501
        (json.dumps([*documented(), *documented()]).encode(), "extension 2: the schema .* is declared already"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_by_entry(text: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        extensions.read(text)


@pytest.mark.rfc("extensions", "filter")
def test_moments_are_compared_as_moments_however_they_are_written(folder: Path) -> None:
    at = {"name": "at", "type": "dateTime"}
    trips = {"name": "trips", "type": "complex", "multiValued": True, "subAttributes": [at]}
    schema = {"id": STAFF, "name": "Staff", "attributes": [{"name": "since", "type": "dateTime"}, trips]}
    file = folder / "extensions.json"
    file.write_text(json.dumps([{"resourceType": "User", "schema": schema}]))
    organization = make.organization(make.settings(folder))
    moments = {"ada": "2020-01-01T01:30:00+02:00", "bob": "2019-12-31T23:30:00.5Z", "cid": "2019-12-31T23:30:00.000Z"}
    with (
        make.service(folder, DAGSTER_SCIM_EXTENSIONS=str(file)) as running,
        organization.client(running.address) as scim,
    ):
        for name, moment in moments.items():
            made = scim.post("/Users", json=make.user(name, **{STAFF: {"since": moment, "trips": [{"at": moment}]}}))
            assert made.status_code == 201, made.text

        def found(**parameters: str) -> list[str]:
            answer = scim.get("/Users", params=parameters)
            assert answer.status_code == 200, answer.text
            return [one["userName"] for one in answer.json()["Resources"]]

        for name in (f"{STAFF}:since", f"{STAFF}:trips.at"):
            assert found(filter=f'{name} eq "2019-12-31T23:30:00Z"') == ["ada", "cid"]
            assert found(filter=f'{name} gt "2019-12-31T23:30:00Z"') == ["bob"]
            assert found(filter=f'{name} le "2020-01-01T00:30:00.500+01:00"') == ["ada", "bob", "cid"]
            assert found(filter=f"{name} pr") == ["ada", "bob", "cid"]
            assert found(sortBy=name) == ["ada", "cid", "bob"]
        assert found(filter=f'{STAFF}:trips[at eq "2019-12-31T23:30:00.500000Z"]') == ["bob"]
