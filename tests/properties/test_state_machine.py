"""Whatever is asked, in whatever order: SQLite, PostgreSQL and a directory made of dictionaries answer alike."""

import asyncio
import itertools
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any, ClassVar

import make
import postgres
import pytest
from dict_model import Attributes, Directory, Outcome, changed, folded, given, replacing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from worlds import World, member_operations, opened, values

STEPS = 30
UNKNOWN = "nobody"
_runs = itertools.count(1)

PICK = st.integers(0, 5)
NAMES = st.sampled_from(["ada", "ADA", "ａｄａ", "bob", "straße", "STRASSE", "İpek", "o'neil", "50%", "a_b"])
TEAMS = st.sampled_from(["Data", "DATA", "Ｄａｔａ", "Finance", "Ünit"])
EXTERNAL = st.sampled_from([None, None, "x", "X", "y"])
TITLES = st.sampled_from([None, "CTO", "cto", "Élan %_", "\U0001f680"])
PARTS = st.sampled_from(["CTO", "c", "%", "_", "É", "\U0001f680"])
ACTIVE = st.sampled_from([None, True, True, False])
MATCH = st.sampled_from([None, None, None, None, "now", "stale", "any"])
MEMBER = st.one_of(st.tuples(st.just("u"), PICK), st.tuples(st.just("g"), PICK), st.just(("ghost", 1)))
MEMBERS = st.lists(MEMBER, max_size=3)
MEMBER_CHANGES = st.lists(st.tuples(st.sampled_from(["add", "remove", "replace", "clear"]), MEMBERS), max_size=3)


class Machine(RuleBasedStateMachine):
    """Asks both databases and the model the same."""

    worlds: ClassVar[list[World]] = []

    def __init__(self) -> None:
        super().__init__()
        self.model = Directory()
        self.given: dict[str, list[str]] = {"u": [], "g": []}

    @initialize()
    def begin(self) -> None:
        run = next(_runs)
        for world in self.worlds:
            world.begin(run)

    @rule(name=NAMES, external=EXTERNAL, title=TITLES, active=ACTIVE)
    def post_user(self, name: str, external: str | None, title: str | None, active: bool | None) -> None:
        attributes = given(userName=name, externalId=external, title=title, active=active)
        outcome = self.model.post_user({"active": True, **attributes})
        self._agree(outcome, "u", "POST", "/Users", {"schemas": [make.USER], **attributes})

    @rule(pick=PICK, match=MATCH, name=NAMES, external=EXTERNAL, title=TITLES, active=ACTIVE)
    def put_user(
        self, pick: int, match: str | None, name: str, external: str | None, title: str | None, active: bool | None
    ) -> None:
        label = self._label("u", pick)
        version, headers = self._condition(label, match)
        attributes = given(userName=name, externalId=external, title=title, active=active)
        outcome = self.model.change_user(label, version, replacing(attributes))
        body = {"schemas": [make.USER], **attributes}
        self._agree(outcome, "u", "PUT", f"/Users/<{label}>", body, headers=headers)

    @rule(pick=PICK, match=MATCH, name=st.none() | NAMES, title=TITLES, active=ACTIVE, path=st.booleans())
    def patch_user(
        self, pick: int, match: str | None, name: str | None, title: str | None, active: bool | None, path: bool
    ) -> None:
        label = self._label("u", pick)
        version, headers = self._condition(label, match)
        changes = given(userName=name, title=title, active=active)
        if not changes:
            operations: list[make.Body] = [{"op": "remove", "path": "title"}]
        elif path:
            operations = [{"op": "Replace", "path": attribute, "value": value} for attribute, value in changes.items()]
        else:
            operations = [{"op": "replace", "value": changes}]

        def edit(before: Attributes) -> Attributes:
            return before | changes if changes else {key: value for key, value in before.items() if key != "title"}

        outcome = self.model.change_user(label, version, edit)
        self._agree(outcome, "u", "PATCH", f"/Users/<{label}>", make.patch(*operations), headers=headers)

    @rule(kind=st.sampled_from("ug"), pick=PICK, match=MATCH)
    def delete(self, kind: str, pick: int, match: str | None) -> None:
        label = self._label(kind, pick)
        version, headers = self._condition(label, match)
        records, endpoint = (self.model.users, "Users") if kind == "u" else (self.model.groups, "Groups")
        outcome = self.model.delete(records, label, version)
        self._agree(outcome, kind, "DELETE", f"/{endpoint}/<{label}>", headers=headers)

    @rule(name=TEAMS, external=EXTERNAL, picks=MEMBERS)
    def post_group(self, name: str, external: str | None, picks: list[tuple[str, int]]) -> None:
        attributes, members = given(displayName=name, externalId=external), self._labels(picks)
        outcome = self.model.post_group(attributes, members)
        body = {"schemas": [make.GROUP], **attributes, "members": values(members)}
        self._agree(outcome, "g", "POST", "/Groups", body)

    @rule(pick=PICK, match=MATCH, name=TEAMS, external=EXTERNAL, picks=st.none() | MEMBERS)
    def put_group(
        self, pick: int, match: str | None, name: str, external: str | None, picks: list[tuple[str, int]] | None
    ) -> None:
        label = self._label("g", pick)
        version, headers = self._condition(label, match)
        attributes, members = given(displayName=name, externalId=external), self._labels(picks or [])
        outcome = self.model.change_group(label, version, lambda _: attributes, lambda _: set(members))
        body: make.Body = {"schemas": [make.GROUP], **attributes}
        body |= {} if picks is None else {"members": values(members)}
        self._agree(outcome, "g", "PUT", f"/Groups/<{label}>", body, headers=headers)

    @rule(pick=PICK, match=MATCH, name=st.none() | TEAMS, changes=MEMBER_CHANGES)
    def patch_group(
        self, pick: int, match: str | None, name: str | None, changes: list[tuple[str, list[tuple[str, int]]]]
    ) -> None:
        label = self._label("g", pick)
        version, headers = self._condition(label, match)
        asked = [(op, self._labels(picks)) for op, picks in changes]
        operations = [one for op, members in asked for one in member_operations(op, members)]
        operations += [{"op": "replace", "value": {"displayName": name}}] if name else []
        if not operations:
            return

        def members_after(members: set[str]) -> set[str]:
            for op, named in asked:
                members = changed(members, op, set(named))
            return members

        outcome = self.model.change_group(label, version, lambda a: a | given(displayName=name), members_after)
        self._agree(outcome, "g", "PATCH", f"/Groups/<{label}>", make.patch(*operations), headers=headers)

    @rule(asked=st.sampled_from(["name", "title", "part", "either"]), name=NAMES, title=PARTS, active=st.booleans())
    def search_users(self, asked: str, name: str, title: str, active: bool) -> None:
        def titled(one: Attributes) -> str:
            return folded(one.get("title", ""))

        filters: dict[str, tuple[str, Callable[[Attributes], bool]]] = {
            "name": (f'userName eq "{name}"', lambda one: folded(one["userName"]) == folded(name)),
            "title": (
                f'title sw "{title}" and not (active eq {str(active).lower()})',
                lambda one: titled(one).startswith(folded(title)) and one["active"] is not active,
            ),
            "part": (f'title co "{title}"', lambda one: folded(title) in titled(one)),
            "either": ('externalId eq "x" or title pr', lambda one: one.get("externalId") == "x" or "title" in one),
        }
        self._found("Users", *filters[asked])

    @rule(kind=st.sampled_from("ug"), pick=PICK, name=TEAMS)
    def search_groups(self, kind: str, pick: int, name: str) -> None:
        member = self._label(kind, pick)
        self._found("Groups", f'displayName eq "{name}"', lambda one: folded(one["displayName"]) == folded(name))
        having = {label for label, group in self.model.groups.items() if member in group.members}
        self._lists("Groups", {"filter": f'members.value eq "<{member}>"'}, having)
        if kind == "u" and member in self.model.users:
            in_groups = [label for label, group in self.model.groups.items() if member in group.members]
            for group in in_groups[:1]:
                inside = {label for label in self.model.users if label in self.model.groups[group].members}
                self._lists("Users", {"filter": f'groups.value eq "<{group}>"'}, inside)

    def teardown(self) -> None:
        for world in self.worlds:
            if world.client is None or not world.ids:
                continue
            for endpoint, records, shown in (
                ("Users", self.model.users, self.model.shown_user),
                ("Groups", self.model.groups, self.model.shown_group),
            ):
                found = world.ask("GET", f"/{endpoint}").json()["Resources"]
                assert [world.shown(one) for one in found] == [shown(label) for label in records]
            org_id = world.client.organization.id
            assert world.export.unexplained(org_id) == []
            assert world.export.first_break(org_id) is None

    def _found(self, endpoint: str, filter_: str, matches: Callable[[Attributes], bool]) -> None:
        records = self.model.users if endpoint == "Users" else self.model.groups
        expected = {label for label, record in records.items() if matches(record.attributes)}
        self._lists(endpoint, {"filter": filter_}, expected)

    def _lists(self, endpoint: str, query: dict[str, str], expected: set[str]) -> None:
        for world in self.worlds:
            page = world.ask("GET", f"/{endpoint}", query=query).json()
            ids = [one["id"] for one in page["Resources"]]
            records = self.model.users if endpoint == "Users" else self.model.groups
            assert ids == [world.ids[label] for label in records if label in expected], (query, page)
            assert page["totalResults"] == len(expected)

    def _agree(self, outcome: Outcome, kind: str, method: str, path: str, body: Any = None, **more: Any) -> None:
        """Ask every database, and hold status and resource against what they must be."""
        for world in self.worlds:
            answer = world.ask(method, path, body, **more)
            assert answer.status == outcome.status, (method, world.real(path), body, answer.body)
            if outcome.label is None:
                continue
            resource = answer.json()
            assert world.ids.setdefault(outcome.label, resource["id"]) == resource["id"]
            shown = self.model.shown_user if kind == "u" else self.model.shown_group
            assert world.shown(resource) == shown(outcome.label), (method, path, body)
        if outcome.label and outcome.label not in self.given[kind]:
            self.given[kind].append(outcome.label)

    def _label(self, kind: str, pick: int) -> str:
        """A label that was given out, also one whose record is gone by now."""
        given = self.given[kind]
        return given[pick % len(given)] if given else UNKNOWN

    def _labels(self, picks: list[tuple[str, int]]) -> list[str]:
        return list(dict.fromkeys("ghost" if kind == "ghost" else self._label(kind, pick) for kind, pick in picks))

    def _condition(self, label: str, match: str | None) -> tuple[int | None, dict[str, str]]:
        """The version that a request is to be made on, and its header."""
        record = self.model.users.get(label) or self.model.groups.get(label)
        if match is None or record is None:
            return None, {}
        if match == "any":
            return None, {"If-Match": "*"}
        version = record.version + (match == "stale")
        return version, {"If-Match": f'W/"{version}"'}


@pytest.fixture(scope="module")
def worlds(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[list[World]]:
    """Both databases."""
    loop = asyncio.new_event_loop()
    on_sqlite, on_postgres = tmp_path_factory.mktemp("sqlite"), tmp_path_factory.mktemp("postgres")
    with ExitStack() as stack:
        make.DATABASE_URLS[on_postgres] = stack.enter_context(postgres.database(postgres_server, "model"))
        yield [stack.enter_context(opened(folder, loop)) for folder in (on_sqlite, on_postgres)]
    del make.DATABASE_URLS[on_postgres]
    loop.close()


@pytest.mark.rfc("unique", "members", "etag")
def test_both_databases_and_a_model_of_dictionaries_agree(worlds: list[World], pytestconfig: pytest.Config) -> None:
    class Both(Machine):
        pass

    Both.worlds = worlds
    runs = int(pytestconfig.getoption("--runs"))
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Both,
        settings=settings(max_examples=runs, stateful_step_count=STEPS, deadline=None, suppress_health_check=checks),
    )
