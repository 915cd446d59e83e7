"""What the settings pages cost with many people: `python bench/pages.py [USERS] [TEAMS] [ROUNDS]`.

A store is made with 10,000 users, 2,000 teams and 500 grants. Every page is then asked for in rounds, each round in
another order, through the whole application in this process; `bench/results/pages.md` gets the milliseconds of the
process' own time (CPU) and on the clock, as median and as the worst of all rounds. The goal is held against the CPU
time, since the clock also tells what else the machine does.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from scim_app.app import create_app
from scim_app.directory.events import Actor, EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.directory.reach import OPERATOR
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.settings import Settings
from scim_app.store.access import grants, organizations, places
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.db import migrate
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import members, resources

PAGE_GOAL, SEARCH_GOAL = 150, 100
RESULTS = Path(__file__).parent / "results" / "pages.md"
ACTOR = Actor(name="bench", idp="okta", authority=OPERATOR)
GIVEN = ("Ada", "Grace", "Alan", "Katherine", "Edsger", "Barbara", "Donald", "Radia", "Linus", "Margaret")


def person(number: int) -> dict[str, Any]:
    name, shown = f"person.{number}@example.com", f"{GIVEN[number % 10]} Family{number % 997} {number}"
    emails = [{"value": name, "type": "work", "primary": True}]
    extra = {"externalId": f"00u{number:017d}", "title": "Engineer", "emails": emails}
    return {
        "schemas": [USER.model.__schema__],
        "userName": name,
        "active": number % 9 > 0,
        "displayName": shown,
        **extra,
    }


def fill(store: Store, org_id: str, users: int, teams: int) -> dict[str, str]:
    """Make the people, teams, memberships and grants; return ids to look at."""
    chance = random.Random(7)

    def work(db: Any) -> dict[str, str]:
        unit = Unit.begin(db, org_id, ACTOR)
        people = [person(number) for number in range(users)]
        ids = resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim")
        named = [
            {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": f"Team {n}"}
            for n in range(teams)
        ]
        team_ids = resources.insert_all(unit, TEAM, named, EventType.TEAM_CREATED, "scim")
        members.apply(unit, team_ids[0], MemberDelta.add(*ids))
        for team_id in team_ids[1:]:
            members.apply(unit, team_id, MemberDelta.add(*chance.sample(ids, min(25, users))))
        deployed = [places.add_deployment(unit, f"deployment-{number}") for number in range(10)]
        grants.grant(unit, "team", team_ids[0], Role.LAUNCHER, ORGANIZATION)
        for number in range(1, min(500, teams)):
            scope = Scope(ScopeKind.DEPLOYMENT, deployed[number % 10].id)
            grants.grant(unit, "team", team_ids[number], chance.choice((Role.EDITOR, Role.ADMIN)), scope)
        return {"user": ids[users // 2], "team": team_ids[1], "everybody": team_ids[0], "deployment": deployed[0].id}

    return store.write(work)


def pages(ids: dict[str, str]) -> dict[str, tuple[str, int]]:
    """Name → path and goal in milliseconds."""
    plain = {
        "users": "users",
        "users, by last change": "users?sort=-changed",
        "users, editors": "users?role=editor",
        "users, of a large team": f"users?team={ids['everybody']}",
        "users, of teams called so": "users?team=team+19",
        "one user": f"users/{ids['user']}",
        "teams": "teams",
        "one team": f"teams/{ids['team']}",
        "a team of everybody": f"teams/{ids['everybody']}",
        "roles": "roles",
        "who is launcher, and why": "roles?where=organization%3A&role=launcher",
        "who is editor, and why": f"roles?where=deployment%3A{ids['deployment']}&role=editor",
        "deployments": "deployments",
        "provisioning": "provisioning",
        "request log": "provisioning/requests",
        "tokens": "tokens",
        "audit log": "audit",
        "audit log, one type": "audit?type=team.created",
        "audit log, one subject": f"audit?subject={ids['user']}",
        "API keys": "keys",
        "access reviews": "reviews",
        "reports": "reports",
        "general": "general",
    }
    searches = {
        "search users, many hits": "users?q=family1",
        "search users, one hit": "users?q=person.7777%40",
        "search users, no hit": "users?q=nobody",
        "search teams": "teams?q=team+19",
        "search members": f"teams/{ids['everybody']}?q=grace",
    }
    found = {name: (path, PAGE_GOAL) for name, path in plain.items()}
    return found | {name: (path, SEARCH_GOAL) for name, path in searches.items()}


def measure(client: TestClient, base: str, path: str) -> tuple[float, float]:
    """Return CPU and clock milliseconds of one answer."""
    cpu, clock = time.process_time(), time.perf_counter()
    answer = client.get(f"{base}/{path}")
    spent = (time.process_time() - cpu) * 1000, (time.perf_counter() - clock) * 1000
    assert answer.status_code == 200, (path, answer.status_code)
    return spent


def main() -> None:
    users, teams, rounds = (int(given) for given in (*sys.argv[1:4], *("10000", "2000", "15")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate({"home": Path(folder), "public_url": "http://127.0.0.1:8000"})
        settings.ensure_pepper()
        migrate.upgrade(settings.store_url)
        app = create_app(settings)
        store: Store = app.state.site.store
        org = store.write(lambda db: organizations.create(db, "bench", actor=ACTOR))
        ids = fill(store, org.id, users, teams)
        begin = lambda db: sessions.start(Unit.begin(db, org.id, ACTOR), SessionKind.SETUP, user_id=None, name="bench")
        cookies = {"scim_session_bench": store.write(begin)}
        asked = pages(ids)
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
        with TestClient(app, "http://127.0.0.1:8000", follow_redirects=False, cookies=cookies) as client:
            for turn in range(rounds + 1):
                for name in random.Random(turn).sample(sorted(asked), len(asked)):
                    spent = measure(client, "/bench/settings", asked[name][0])
                    took[name] += [spent] if turn else []  # the first round warms up
    RESULTS.write_text(tell(users, teams, rounds, asked, took))
    print(RESULTS.read_text())


def tell(
    users: int, teams: int, rounds: int, asked: dict[str, tuple[str, int]], took: dict[str, list[tuple[float, float]]]
) -> str:
    """Return the page of results."""
    head = [
        "# Settings pages with many people",
        "",
        f"`python bench/pages.py {users} {teams} {rounds}`: {users:,} users, {teams:,} teams, {rounds} rounds, each in",
        "another order, on SQLite. Milliseconds of one page or search through the whole application; CPU is the time that",
        "the process itself spent, and is what the goal is held against.",
        "",
        "| page | CPU median | CPU worst | clock median | goal | |",
        "|---|---|---|---|---|---|",
    ]
    for name, (_, goal) in asked.items():
        cpu, clock = ([spent[part] for spent in took[name]] for part in (0, 1))
        middle = statistics.median(cpu)
        mark = "reached" if middle < goal else "**missed**"
        head.append(f"| {name} | {middle:.1f} | {max(cpu):.1f} | {statistics.median(clock):.1f} | < {goal} | {mark} |")
    return "\n".join([*head, ""])


if __name__ == "__main__":
    main()
