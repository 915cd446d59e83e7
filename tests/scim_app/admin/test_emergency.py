"""The emergency password: off by default, good for a session where it is on, and not to be guessed."""

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import make
import pytest
from acme import ADDRESS, Acme, application

from scim_app.admin import emergency
from scim_app.admin.attempts import Attempts, WaitingLine
from scim_app.admin.failures import PageProblem
from scim_app.admin.viewers import csrf_token
from scim_app.store.credentials import break_glass

PASSWORD = "correct horse battery staple"


@pytest.fixture
def acme(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Generator[Acme]:
    """An organization whose password nobody has tried yet."""
    monkeypatch.setattr(emergency, "tries", Attempts(5, seconds=60))
    with application(tmp_path_factory.mktemp("acme"), "acme") as (made,):
        yield made


def attempt(acme: Acme, password: str) -> Any:
    """The answer to an attempt to sign in."""
    form = {"password": password, "csrf": csrf_token(acme.site, "sign-in acme")}
    headers = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
    return acme.client.post("/acme/settings/sign-in/emergency", data=form, headers=headers)


def types(acme: Acme) -> list[str]:
    """What happened, in order."""
    with acme.export() as export:
        return [event["type"] for event in export.events(acme.desk.organization.id, limit=1000)]


def test_the_password_opens_the_settings_only_where_it_is_on(acme: Acme) -> None:
    assert attempt(acme, PASSWORD).status_code == 403
    acme.desk.write(break_glass.enable, PASSWORD)
    assert attempt(acme, PASSWORD + "r").status_code == 403

    begun = attempt(acme, PASSWORD)
    assert begun.status_code == 303
    assert types(acme)[-1] == "session.started"
    name, _, rest = begun.headers["set-cookie"].partition("=")
    cookie = {"Cookie": f"{name}={rest.partition(';')[0]}"}
    assert acme.client.get("/acme/settings/users", headers=cookie).status_code == 200

    acme.desk.write(break_glass.disable)
    assert acme.client.get("/acme/settings/users", headers=cookie).status_code == 303
    assert attempt(acme, PASSWORD).status_code == 403


def test_guessing_stops_after_five_attempts_and_a_burst_of_them_is_told_together(acme: Acme) -> None:
    acme.desk.write(break_glass.enable, PASSWORD)
    assert [attempt(acme, f"guess number {number}").status_code for number in range(7)] == [403] * 5 + [429] * 2
    assert attempt(acme, PASSWORD).status_code == 429
    assert types(acme).count("sign_in.refused") == 1
    acme.site.refusals.close()
    with acme.export() as export:
        events = export.events(acme.desk.organization.id, limit=1000)
    told = [event["detail"] for event in events if event["type"] == "sign_in.refused"]
    assert told == ["wrong emergency password", "wrong emergency password, 4 more times within 60 seconds"]


def test_one_is_at_work_and_whoever_finds_the_line_full_is_told_to_come_again() -> None:
    line = WaitingLine(2)
    started, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with line.turn():
            started.set()
            go_on.wait(60)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(work)
        started.wait(60)
        second = threads.submit(work)
        make.until(lambda: line.full, what="the second one in the line")
        with pytest.raises(PageProblem) as refused, line.turn():
            raise AssertionError("a third one is let in")
        assert (refused.value.status, refused.value.retry_after > 0) == (429, True)
        go_on.set()
        first.result(60)
        second.result(60)
    with line.turn():
        assert not line.full
