"""`dagster-scim demo`: a small company's provisioning, played over HTTP, then made into assets and a report."""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from scim_app.cli.dagster_home import ROOT, dagster_environment
from scim_app.cli.dev import local_settings, start_service
from scim_app.cli.exchanges import Story, load, play
from scim_app.cli.opening import CLI, opened_store
from scim_app.cli.processes import ChildFailed, answers
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.credentials import tokens
from scim_app.store.db import migrate
from scim_app.store.log.event_log import Unit

RUN_SECONDS = 600
STORIES = ROOT / "tests" / "idp"


@dataclass(frozen=True, slots=True)
class Played:
    """What the played stories come to, as they declare it."""

    leavers: Sequence[str]
    failures: int
    problems: Sequence[str]


def demo(
    url: Annotated[str | None, typer.Option(help="Address of the running service; DAGSTER_SCIM_PUBLIC_URL.")] = None,
) -> None:
    """Play recorded Okta and Entra exchanges, then make the assets and the compliance report of them."""
    settings = local_settings(8000)
    stories = [story for story in load(STORIES) if story.demo]
    if not stories:
        raise LookupError(f"there are no recorded exchanges in {STORIES}: run the demo from a checkout")
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    with _service(settings, url or settings.base_url) as address:
        slug, token = _new_organization(settings)
        played = _play(stories, f"{address}/{slug}/scim/v2", token)
        with Console(stderr=True).status("Materializing the assets, one run of the job `provisioning` …"):
            summary = _materialize(settings)
    told = next(one for one in summary["organizations"] if one["slug"] == slug)
    _tell(told, settings)
    differing = _differing(played, told)
    for problem in differing:
        typer.echo(f"NOT AS PLAYED: {problem}", err=True)
    if differing:
        raise typer.Exit(1)
    typer.echo("All of it is as the exchanges say.")


@contextmanager
def _service(settings: Settings, address: str) -> Generator[str]:
    """Give the address of the running service; where none answers, start one for the time of the demo."""
    address = address.rstrip("/")
    if answers(f"{address}/readyz"):
        yield address
        return
    typer.echo(f"No service answers at {address}: starting one for the demo.", err=True)
    port = urlsplit(address).port or 8000
    child = start_service(settings, port)
    try:
        child.wait_until_answering(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def _new_organization(settings: Settings) -> tuple[str, str]:
    """Set up `demo`, or `demo-2` and so on when there is one, and return its slug and a token."""
    with opened_store(settings) as store:
        taken = {one.slug for one in store.read(organizations.listing)}
        names = ("demo", *(f"demo-{number}" for number in range(2, len(taken) + 3)))
        slug = next(name for name in names if name not in taken)

        def make(db: Any) -> str:
            organization = organizations.create(db, slug, time_zone=settings.time_zone, actor=CLI)
            return tokens.create(
                Unit.begin(db, organization.id, CLI), description="demo", pepper=settings.read_pepper()
            )[1]

        return slug, store.write(make)


def _play(stories: Sequence[Story], base_url: str, token: str) -> Played:
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn())
    headers = {"Authorization": f"Bearer {token}"}
    problems: list[str] = []
    with (
        httpx.Client(base_url=base_url, headers=headers, timeout=30, trust_env=False) as client,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        if client.get("/ServiceProviderConfig").status_code != 200:
            raise LookupError(f"{base_url} refuses a new token: it does not use the store of DAGSTER_SCIM_HOME")
        task = progress.add_task("", total=sum(len(story.steps) for story in stories))
        for story in stories:
            progress.update(task, description=story.name)
            for outcome in play(story, client):
                progress.advance(task)
                if outcome.problem:
                    problems.append(f"{story.name}, {outcome.step.name}: {outcome.problem}")
    leavers = [name for story in stories for name in story.leavers]
    return Played(leavers, sum(len(story.failures) for story in stories), problems)


def _materialize(settings: Settings) -> dict[str, Any]:
    """Run the job once, in a process of its own, and return the summary it prints."""
    log = settings.home / "logs" / "demo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "dagster_defs.run"],
            cwd=ROOT,
            env=dagster_environment(settings),
            stdout=subprocess.PIPE,
            stderr=errors,
            timeout=RUN_SECONDS,
            check=False,
        )
    if done.returncode:
        raise ChildFailed(f"the run failed; its log is {log}")
    return orjson.loads(done.stdout.splitlines()[-1])


def _differing(played: Played, told: dict[str, Any]) -> list[str]:
    """Return in words where the assets tell something else than what was played."""
    found = list(played.problems)
    leavers = sorted(row["user_name"] for row in told["leavers"])
    if leavers != sorted(played.leavers):
        found.append(f"leavers are {leavers}, the exchanges have {sorted(played.leavers)}")
    if len(told["sync_failures"]) != played.failures:
        found.append(f"{len(told['sync_failures'])} refused writes, the exchanges have {played.failures}")
    return found


def _tell(told: dict[str, Any], settings: Settings) -> None:
    lines = [
        "",
        f"Organization {told['slug']}: {told['users']} users ({told['active_users']} active), "
        f"{told['teams']} teams, {told['memberships']} memberships, {told['seq']} events",
        "",
        f"Leavers ({len(told['leavers'])})",
        *(f"  {row['user_name']:<34} {row['how']:<12} {row['at'][:19]} UTC" for row in told["leavers"]),
        "",
        f"Refused writes ({len(told['sync_failures'])})",
        *(f"  {row['method']:<5} {row['path']:<44} {row['status']}  {row['detail']}" for row in told["sync_failures"]),
        "",
        f"Report       {told['report']}",
        f"SCIM         {settings.scim_base_url(told['slug'])}",
        "Dagster UI   http://127.0.0.1:3000/assets   (while `make run` is up)",
        "",
    ]
    typer.echo("\n".join(lines))
