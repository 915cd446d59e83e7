"""Folding the event log from empty gives the state, whatever was done."""

from typing import Any

import httpx
import make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import Organization

NAMES = st.sampled_from([f"u{i}@example.com" for i in range(4)])
TEAMS = st.sampled_from(["Data", "Finance"])
PICK = st.integers(0, 3)
VALUES = st.sampled_from([None, "", "x", "Ünïcode 🚀", "A"])

STEPS = st.one_of(
    st.tuples(st.just("post_user"), NAMES, st.booleans()),
    st.tuples(st.just("put_user"), PICK, NAMES, st.booleans()),
    st.tuples(st.just("set_active"), PICK, st.sampled_from([True, False, "False", "True"])),
    st.tuples(st.just("set_title"), PICK, VALUES),
    st.tuples(st.just("delete_user"), PICK),
    st.tuples(st.just("post_team"), TEAMS, st.lists(PICK, max_size=3)),
    st.tuples(st.just("put_team"), PICK, TEAMS, st.lists(PICK, max_size=3)),
    st.tuples(st.just("members"), PICK, st.sampled_from(["add", "remove", "replace"]), st.lists(PICK, max_size=3)),
    st.tuples(st.just("delete_team"), PICK),
    st.tuples(st.just("bad"), PICK),
)


class Client:
    """Does steps over HTTP and remembers the ids it was given."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.users: list[str] = []
        self.teams: list[str] = []

    def do(self, name: str, *arguments: Any) -> None:
        answer = getattr(self, name)(*arguments)
        assert answer.status_code < 500, answer.text

    def _user(self, pick: int) -> str:
        return self.users[pick % len(self.users)] if self.users else "nobody"

    def _team(self, pick: int) -> str:
        return self.teams[pick % len(self.teams)] if self.teams else "nothing"

    def _kept(self, ids: list[str], answer: httpx.Response) -> httpx.Response:
        if answer.status_code == 201 and answer.json()["id"] not in ids:
            ids.append(answer.json()["id"])
        return answer

    def _patch(self, path: str, operation: dict[str, Any]) -> httpx.Response:
        return self.http.patch(path, json=make.patch(operation))

    def post_user(self, name: str, active: bool) -> httpx.Response:
        return self._kept(self.users, self.http.post("/Users", json=make.user(name, active=active)))

    def put_user(self, pick: int, name: str, active: bool) -> httpx.Response:
        return self.http.put(f"/Users/{self._user(pick)}", json=make.user(name, active=active))

    def set_active(self, pick: int, value: object) -> httpx.Response:
        return self._patch(f"/Users/{self._user(pick)}", {"op": "Replace", "value": {"active": value}})

    def set_title(self, pick: int, value: str | None) -> httpx.Response:
        return self._patch(f"/Users/{self._user(pick)}", {"op": "replace", "path": "title", "value": value})

    def delete_user(self, pick: int) -> httpx.Response:
        return self.http.delete(f"/Users/{self._user(pick)}")

    def post_team(self, name: str, members: list[int]) -> httpx.Response:
        body = make.group(name, *(self._user(member) for member in members))
        return self._kept(self.teams, self.http.post("/Groups", json=body))

    def put_team(self, pick: int, name: str, members: list[int]) -> httpx.Response:
        body = make.group(name, *(self._user(member) for member in members))
        return self.http.put(f"/Groups/{self._team(pick)}", json=body)

    def members(self, pick: int, op: str, members: list[int]) -> httpx.Response:
        value = [{"value": self._user(member)} for member in members]
        return self._patch(f"/Groups/{self._team(pick)}", {"op": op, "path": "members", "value": value})

    def delete_team(self, pick: int) -> httpx.Response:
        return self.http.delete(f"/Groups/{self._team(pick)}")

    def bad(self, pick: int) -> httpx.Response:
        return self._patch(f"/Users/{self._user(pick)}", {"op": "replace", "path": "nonsense", "value": 1})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=25))
def test_folding_the_log_from_empty_gives_the_live_state(
    scim: httpx.Client, organization: Organization, steps: list[tuple[Any, ...]]
) -> None:
    client = Client(scim)
    for name, *arguments in steps:
        client.do(name, *arguments)
    with organization.export() as export:
        assert export.unexplained(organization.id) == []
        assert export.first_break(organization.id) is None
        counts = export.counts(organization.id)
        state = export.snapshot(organization.id, counts["seq"])
    told = (len(state.users), len(state.teams), len(state.team_members))
    assert told == (counts["users"], counts["teams"], counts["team_members"])
    _same_as_the_endpoint_shows(scim, state.users, state.teams)


def _same_as_the_endpoint_shows(scim: httpx.Client, users: list[dict[str, Any]], teams: list[dict[str, Any]]) -> None:
    shown = {one["id"]: one for one in scim.get("/Users").json()["Resources"]}
    assert {row["user_id"]: (row["user_name"], row["active"]) for row in users} == {
        key: (one["userName"], one["active"]) for key, one in shown.items()
    }
    groups = {one["id"]: one["displayName"] for one in scim.get("/Groups").json()["Resources"]}
    assert {row["team_id"]: row["display_name"] for row in teams} == groups
