"""The command line does what the pages do, says what it did, and gives JSON where it is asked for."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import make
import pytest
from typer.testing import CliRunner, Result

from scim_app.cli import app
from scim_app.errors import DirectoryError
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.sign_in import identities
from scim_app.store.sign_in.recognition import Person

Run = Callable[..., Any]


_numbers = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of all organizations of these tests."""
    home = tmp_path_factory.mktemp("home")
    make.organization(make.settings(home), "first")
    return home


@pytest.fixture
def invoke(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command on an organization of its own, whose SCIM is off."""
    slug = f"org-{next(_numbers)}"
    monkeypatch.setenv("DAGSTER_SCIM_HOME", str(shared))
    monkeypatch.delenv("DAGSTER_SCIM_DATABASE_URL", raising=False)

    def one(*arguments: str) -> Result:
        group, name, *rest = arguments
        return CliRunner().invoke(app, [group, name, slug, *rest])

    one("org", "create")
    one("org", "disable-scim")
    return one


@pytest.fixture
def run(invoke: Callable[..., Result]) -> Run:
    """Runs a command with `--json` and returns its objects, one alone when there is one line."""

    def one(*arguments: str) -> Any:
        done = invoke(*arguments, "--json")
        assert done.exit_code == 0, done.output + repr(done.exception)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return rows[0] if len(rows) == 1 else rows

    return one


def told(run: Run) -> Iterator[str]:
    """The types of the organization's events."""
    return (event["type"] for event in run("events", "list"))


def test_a_person_is_added_put_into_a_team_granted_a_role_and_explained(run: Run) -> None:
    run("user", "add", "ada@example.com", "--given-name", "Ada", "--family-name", "Lovelace")
    run("team", "create", "Data Platform")
    run("team", "add-member", "Data Platform", "ada@example.com")
    run("deployment", "add", "prod")
    run("deployment", "add", "prod/etl")
    run("role", "grant", "team:Data Platform", "editor", "--on", "prod", "--reason", "on call")
    run("role", "grant", "user:ada@example.com", "admin", "--on", "prod/etl")
    shown = run("user", "show", "ADA@example.com")
    assert (shown["display_name"], shown["teams"]) == ("Ada Lovelace", "Data Platform")
    assert shown["access"] == (
        "Admin on prod/etl by own grant; Editor on prod through team Data Platform; Viewer by default"
    )
    held = run("role", "list", "--holder", "team:Data Platform")
    assert (held["role"], held["scope_name"], held["reason"], held["granted_by"]) == (
        "editor",
        "prod",
        "on call",
        "cli",
    )
    run("role", "revoke", held["grant_id"])
    run("deployment", "remove", "prod/etl")
    assert run("role", "list") == []
    assert run("user", "show", "ada@example.com")["access"] == "Viewer by default"


def test_a_removed_team_comes_back_with_members_owners_and_grants(run: Run) -> None:
    run("user", "add", "ada@example.com")
    run("team", "create", "Data")
    run("team", "add-member", "Data", "ada@example.com")
    run("team", "add-owner", "Data", "ada@example.com")
    run("role", "grant", "team:Data", "launcher")
    team_id = run("team", "delete", "Data")["id"]
    assert run("role", "list") == []
    assert run("team", "removed")["name"] == "Data"
    run("team", "restore", team_id)
    member = run("team", "show", "Data")
    assert (member["user_name"], member["origin"], member["owner"]) == ("ada@example.com", "manual", True)
    assert run("role", "list")["role"] == "launcher"


def test_a_removed_person_comes_back_with_teams_and_grants(run: Run) -> None:
    made = run("user", "add", "ada@example.com")
    run("team", "create", "Data")
    run("team", "add-member", "Data", "ada@example.com")
    run("role", "grant", "user:ada@example.com", "editor")
    assert run("user", "remove", "ada@example.com")["id"] == made["id"]
    assert run("user", "removed")["id"] == made["id"]
    run("user", "restore", made["id"])
    shown = run("user", "show", "ada@example.com")
    assert (shown["id"], shown["teams"], shown["access"]) == (made["id"], "Data", "Editor by own grant")


def test_a_person_is_edited_and_how_it_signs_in_is_forgotten(run: Run, shared: Path) -> None:
    made = run("user", "add", "ada@example.com", "--given-name", "Ada")
    edited = run("user", "edit", "ada@example.com", "--user-name", "lovelace@example.com", "--display-name", "Ada L.")
    assert (edited["id"], edited["user_name"]) == (made["id"], "lovelace@example.com")
    shown = run("user", "show", made["id"])
    assert (shown["display_name"], shown["email"], shown["given_name"]) == ("Ada L.", "lovelace@example.com", "Ada")
    store = Store(make.settings(shared).store_url)
    org_id = run("org", "show")["id"]
    issuer, subject = "https://issuer.example", "s-1"
    person = Person(issuer, subject, "lovelace@example.com", subject)
    store.write(lambda db: identities.member_of(Unit.begin(db, org_id, make.ACTOR), person))
    store.close()
    known = run("user", "identities", "lovelace@example.com")
    assert (known["issuer"], known["subject"]) == (issuer, subject)
    run("user", "forget-identity", "lovelace@example.com")
    assert run("user", "identities", "lovelace@example.com") == []


def test_linking_is_previewed_offered_and_undone(run: Run) -> None:
    for name in ("ada", "bob"):
        run("user", "add", f"{name}@example.com")
    run("team", "create", "Data")
    run("team", "rename", "Data", "Data Platform")
    run("team", "add-member", "Data Platform", "ada@example.com")
    changes = run("team", "preview", "Data Platform", "BOB@example.com", "new@example.com")
    assert {row["user_name"]: row["change"] for row in changes} == {
        "bob@example.com": "added",
        "ada@example.com": "removed",
        "new@example.com": "pending",
    }
    assert run("team", "link", "Data Platform", "--external-id", "g1")["origin"] == "offered"
    assert run("team", "unlink", "Data Platform")["origin"] == "local"
    assert {"team.offered", "team.unlinked", "team.updated"} <= set(told(run))


def test_a_token_is_described_rotated_and_revoked(run: Run) -> None:
    old = run("token", "create", "--idp", "okta", "--days", "20")
    run("token", "describe", old["id"], "production")
    new = run("token", "rotate", old["id"], "--overlap-hours", "1")
    listed = {row["id"]: row for row in run("token", "list")}
    assert (listed[old["id"]]["state"], listed[old["id"]]["replaced_by"]) == ("replaced", new["id"])
    assert (listed[new["id"]]["state"], listed[new["id"]]["description"]) == ("valid", "production")
    run("token", "revoke", new["id"])
    assert {row["id"]: row["state"] for row in run("token", "list")}[new["id"]] == "revoked"
    assert not any("scim_" in json.dumps(row) for row in run("token", "list"))


def test_a_key_of_the_api_is_made_listed_and_revoked(run: Run) -> None:
    made = run("token", "create-key", "--scope", "audit:read", "--scope", "directory:read")
    assert made["key"].startswith("key_")
    run("token", "revoke-key", made["id"])
    listed = run("token", "keys")
    assert (listed["scopes"], listed["revoked_at"] is None) == ("audit:read directory:read", False)


def test_settings_are_shown_and_changed(run: Run) -> None:
    run("org", "set", "--default-role", "launcher", "--seat-limit", "5", "--user-name-policy", "strict")
    run("org", "break-glass", "--password", "correct horse battery")
    run("org", "enable-scim")
    shown = run("org", "show")
    assert (shown["default_role"], shown["seat_limit"], shown["user_name_policy"]) == ("launcher", 5, "strict")
    assert (shown["scim_enabled"], shown["break_glass"][:8]) == (True, "on since")
    run("org", "set", "--seat-limit", "none", "--dormant-days", "60", "--grace-days", "0")
    run("org", "break-glass", "--off")
    shown = run("org", "show")
    assert (shown["seat_limit"], shown["break_glass"]) == (None, "off")
    assert (shown["dormant_days"], shown["grace_days"], shown["review_days"]) == (60, 0, 92)
    assert {"settings.changed", "scim.enabled", "break_glass.enabled", "break_glass.disabled"} <= set(told(run))


def test_people_read_a_sentence_and_a_table(invoke: Callable[..., Result]) -> None:
    assert invoke("team", "create", "Data").stderr == "The team Data was made.\n"
    invoke("deployment", "add", "prod")
    invoke("role", "grant", "team:Data", "editor", "--on", "prod")
    table = invoke("role", "list").stdout
    assert "holder name" in table
    assert "prod" in table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "add", "ada"), "'ada' is not an e-mail address"),
        (("user", "show", "nobody"), "there is no user 'nobody'"),
        (("user", "edit", "nobody", "--display-name", "x"), "there is no user 'nobody'"),
        (("user", "forget-identity", "nobody"), "there is no user 'nobody'"),
        (("user", "restore", "nobody"), "within the last 30 days"),
        (("team", "create", " "), "a team needs a name"),
        (("team", "delete", "none"), "there is no team 'none'"),
        (("role", "grant", "ada", "editor"), "write user:NAME or team:NAME"),
        (("role", "grant", "user:nobody", "editor"), "there is no user"),
        (("role", "revoke", "x"), "there is no grant 'x'"),
        (("deployment", "remove", "organization"), "is no deployment"),
        (("deployment", "add", "none/etl"), "there is no deployment 'none'"),
        (("deployment", "read", "prod", "--url", "http://127.0.0.1:9"), "no Dagster answers"),
        (("org", "set", "--default-role", "king"), "'king' can't be the default role"),
        (("org", "set", "--seat-limit", "0"), "at least 1"),
        (("org", "break-glass", "--password", "short"), "16 to 256 characters"),
        (("token", "rotate", "x"), "no token 'x'"),
        (("token", "create-key", "--scope", "all"), "one or more of these scopes"),
        (("token", "revoke-key", "x"), "no API key 'x'"),
        (("request", "show", "x"), "no request 'x'"),
    ],
)
def test_a_mistake_is_a_sentence(invoke: Callable[..., Result], arguments: tuple[str, ...], said: str) -> None:
    done = invoke(*arguments)
    assert isinstance(done.exception, DirectoryError | ValueError), done.output
    assert said in str(done.exception)
    assert done.stdout == ""


def test_while_scim_is_on_people_are_the_identity_providers(invoke: Callable[..., Result]) -> None:
    invoke("user", "add", "ada@example.com")
    invoke("org", "enable-scim")
    assert "identity provider" in str(invoke("user", "add", "bob@example.com").exception)
    assert invoke("user", "remove", "ada@example.com").exit_code == 0
