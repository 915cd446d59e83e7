"""The command line: what is printed where, and what a person reads when something is wrong."""

import json
import socket
import stat
from pathlib import Path

import httpx
import make
import pytest
import sqlalchemy as sa

from scim_app.store.db.engines import open_writer

PEPPER = {"DAGSTER_SCIM_PEPPER": "p" * 32}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with an up-to-date store and an organization `acme` that has a token, but no pepper any more."""
    make.organization(make.settings(tmp_path))
    (tmp_path / "pepper").unlink()
    return tmp_path


def test_org_create_prints_the_scim_base_url_and_nothing_else_on_stdout(tmp_path: Path) -> None:
    make.command("migrate", home=tmp_path)
    public = {"DAGSTER_SCIM_PUBLIC_URL": "https://scim.example.com"}
    made = make.command("org", "create", "acme", "--name", "Acme Inc.", home=tmp_path, **public)
    assert made.stdout == "https://scim.example.com/acme/scim/v2\n"
    listed = make.command("org", "list", "--json", home=tmp_path)
    assert json.loads(listed.stdout)["name"] == "Acme Inc."


def test_token_create_prints_the_token_alone_on_stdout(home: Path) -> None:
    made = make.command("token", "create", "acme", "--idp", "okta", "--description", "prod", home=home, **PEPPER)
    assert made.returncode == 0
    assert made.stdout.startswith("scim_")
    assert len(made.stdout.split()) == 1
    assert "not shown again" in made.stderr
    listed = json.loads(make.command("token", "list", "acme", "--json", home=home).stdout.splitlines()[0])
    assert (listed["idp"], listed["description"], listed["revoked_at"]) == ("okta", "prod", None)
    assert made.stdout.strip() not in make.command("token", "list", "acme", home=home).stdout


def test_a_revoked_token_is_refused_on_the_next_request(tmp_path: Path) -> None:
    organization = make.organization(make.settings(tmp_path))
    with make.service(tmp_path) as running, organization.client(running.address) as client:
        assert client.get("/Users").status_code == 200
        token_id = organization.token.split("_")[1]
        assert make.command("token", "revoke", "acme", token_id, home=tmp_path).returncode == 0
        assert client.get("/Users").status_code == 401


def test_events_list_gives_whole_events_as_json(home: Path) -> None:
    lines = make.command("events", "list", "acme", "--json", home=home).stdout.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["organization.created", "token.created"]
    rest = make.command("events", "list", "acme", "--after", "1", "--json", home=home).stdout.splitlines()
    assert [json.loads(line)["seq"] for line in rest] == [2]


def test_events_verify_tells_a_whole_log_from_a_changed_one(home: Path) -> None:
    verified = make.command("events", "verify", "acme", home=home)
    assert (verified.returncode, verified.stdout) == (
        0,
        "The event log of acme is whole: 2 events, each chained to the one before.\n",
    )
    engine = open_writer(make.settings(home).store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER events_no_update"))
        connection.execute(sa.text("UPDATE events SET actor = 'somebody else'"))
    engine.dispose()
    broken = make.command("events", "verify", "acme", home=home)
    assert broken.returncode == 1
    assert "event 1 was changed after it was written" in broken.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["serve"], {}, "no pepper: set DAGSTER_SCIM_PEPPER"),
        (["serve"], {"DAGSTER_SCIM_PEPPER": "short"}, "the pepper is too short"),
        (["token", "create", "acme"], {}, "no pepper"),
        (["token", "create", "nobody"], PEPPER, "there is no organization 'nobody'"),
        (["token", "revoke", "acme", "x"], {}, "no token 'x'"),
        (["org", "create", "acme"], {}, "the organization 'acme' exists already"),
        (["org", "create", "Acme Inc"], {}, "can't be an organization's slug"),
        (["org", "create", "b", "--time-zone", "Mars"], {}, "'Mars' is not a time zone"),
        (["org", "list"], {"DAGSTER_SCIM_TIME_ZONE": "Mars"}, "DAGSTER_SCIM_TIME_ZONE: 'Mars' is not a time zone"),
        (["org", "list"], {"DAGSTER_SCIM_PUBLIC_URL": "nowhere"}, "DAGSTER_SCIM_PUBLIC_URL"),
        (["events", "list", "nobody"], {}, "there is no organization 'nobody'"),
        (["events", "list", "acme", "--since", "yesterday"], {}, "'yesterday' is no date or time of ISO 8601"),
        (["events", "list", "acme", "--type", "user.vanished"], {}, "choose one of: organization.created"),
        (["user", "list", "acme", "--role", "boss"], {}, "choose one of: organization_admin, admin, editor"),
        (["user", "list", "acme", "--state", "gone"], {}, "choose one of: active, inactive"),
        (["user", "list", "acme", "--origin", "okta"], {}, "choose one of: scim, local"),
        (["team", "list", "acme", "--origin", "okta"], {}, "choose one of: scim, local"),
        (["request", "list", "acme", "--cause", "luck"], {}, "choose one of: scim_off"),
        (["request", "list", "acme", "--method", "FETCH"], {}, "choose one of: GET, POST, PUT, PATCH, DELETE"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    home: Path, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    done = make.command(*arguments, home=home, **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["serve"], ["org", "list"], ["events", "verify", "acme"]])
def test_a_store_that_was_never_made_asks_for_migrate(tmp_path: Path, arguments: list[str]) -> None:
    done = make.command(*arguments, home=tmp_path, **PEPPER)
    assert done.returncode == 1
    assert "run `dagster-scim migrate` first" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--port", "--dagster-port"])
def test_dev_names_the_port_that_is_taken(tmp_path: Path, option: str) -> None:
    ports = {"--port": make.free_port(), "--dagster-port": make.free_port()}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[option]))
        taken.listen()
        arguments = [str(part) for pair in ports.items() for part in pair]
        done = make.command("dev", *arguments, home=tmp_path)
    assert done.returncode == 1
    assert f"port {ports[option]} is taken" in done.stderr
    assert option in done.stderr


def test_the_pepper_that_dev_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    make.settings(tmp_path).ensure_pepper()
    assert stat.S_IMODE((tmp_path / "pepper").stat().st_mode) == 0o600


def test_serve_with_two_workers_answers_and_stops(tmp_path: Path) -> None:
    organization = make.organization(make.settings(tmp_path))
    with make.service(tmp_path, workers=2) as running, organization.client(running.address) as client:
        names = [f"u{number}@example.com" for number in range(20)]
        assert {client.post("/Users", json=make.user(name)).status_code for name in names} == {201}
        assert client.get("/Users").json()["totalResults"] == 20
        assert httpx.get(f"{running.address}/healthz", trust_env=False).json() == {"status": "ok"}
    assert running.process.returncode is not None
