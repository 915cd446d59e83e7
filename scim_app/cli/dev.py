"""`dagster-scim dev`: the SCIM service and Dagster on one machine, over an embedded store."""

import signal
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from scim_app.cli.dagster_home import ROOT, dagster_environment
from scim_app.cli.opening import CLI, opened_store
from scim_app.cli.processes import STOP_SECONDS, Child, Supervised, environment, only_one, port_is_free, program
from scim_app.cli.serving import Port
from scim_app.cli.setup_link import setup_link
from scim_app.private import make_home
from scim_app.settings import Settings, set_in_vain
from scim_app.store.access import organizations
from scim_app.store.credentials import tokens
from scim_app.store.db import migrate
from scim_app.store.log.event_log import Unit

FIRST_ORGANIZATION = "acme"


def dev(
    port: Port = 8000,
    dagster_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Dagster UI.")] = 3000,
) -> None:
    """Start the SCIM service and Dagster here; Ctrl-C stops both."""
    settings = local_settings(port)
    make_home(settings.home)
    with _ending_on_signal(), ExitStack() as stack:
        was_killed = stack.enter_context(only_one(settings.home / "dev.lock"))
        _require_free(port, "--port", STOP_SECONDS if was_killed else 0)
        _require_free(dagster_port, "--dagster-port", STOP_SECONDS if was_killed else 0)
        settings.ensure_pepper()
        migrate.upgrade(settings.store_url)
        for sentence in set_in_vain():
            typer.echo(sentence, err=True)
        token = _first_token(settings)
        typer.echo("Starting the SCIM service and Dagster …", err=True)
        service = start_service(settings, port)
        stack.callback(service.stop)
        dagster = _start_dagster(settings, dagster_port)
        for process in dagster:
            stack.callback(process.stop)
        service.wait_until_answering(f"http://127.0.0.1:{port}/readyz")
        dagster[0].child.wait_until_answering(f"http://127.0.0.1:{dagster_port}/server_info")
        _tell(settings, dagster_port, token)
        while True:
            service.require_running()
            for process in dagster:
                if happened := process.look():
                    typer.echo(happened, err=True)
            time.sleep(0.5)


def local_settings(port: int) -> Settings:
    """Return the settings, with the port in the public address where none was set."""
    settings = Settings()
    if "public_url" not in settings.model_fields_set:
        settings = Settings.model_validate({"public_url": f"http://127.0.0.1:{port}"})
    return settings


def start_service(settings: Settings, port: int) -> Child:
    """Start the SCIM service as a process of its own."""
    env = environment(DAGSTER_SCIM_HOME=str(settings.home), DAGSTER_SCIM_PUBLIC_URL=settings.base_url)
    command = [program("dagster-scim"), "serve", "--port", str(port)]
    return Child.start("scim", command, log_folder=settings.home / "logs", env=env)


def _start_dagster(settings: Settings, port: int) -> list[Supervised]:
    """Start Dagster's webserver and daemon; `dagster dev` has its own webserver, which obeys every web page."""
    env, workspace = dagster_environment(settings), ["--workspace", str(ROOT / "workspace.yaml")]
    webserver = [program("dagster-scim"), "webserver", "--host", "127.0.0.1", "--port", str(port), *workspace]
    daemon = [program("dagster-daemon"), "run", *workspace]

    def supervised(name: str, command: list[str]) -> Supervised:
        return Supervised(
            lambda again: Child.start(name, command, log_folder=settings.home / "logs", env=env, append=again)
        )

    return [supervised("webserver", webserver), supervised("daemon", daemon)]


def _require_free(port: int, option: str, seconds: float) -> None:
    """Require a port, after a while in which the programs of one who was killed end."""
    deadline = time.monotonic() + seconds
    while not (is_free := port_is_free(port)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if not is_free:
        raise ValueError(f"port {port} is taken: stop the program that uses it, or choose another with {option}")


def _first_token(settings: Settings) -> str | None:
    """Return the text of a token for a first organization, made when the store has none yet."""
    with opened_store(settings) as store:
        if store.read(organizations.listing):
            return None

        def make(db: Any) -> str:
            organization = organizations.create(
                db, FIRST_ORGANIZATION, name="Acme", time_zone=settings.time_zone, actor=CLI
            )
            pepper = settings.read_pepper()
            return tokens.create(Unit.begin(db, organization.id, CLI), description="first token", pepper=pepper)[1]

        return store.write(make)


def _tell(settings: Settings, dagster_port: int, token: str | None) -> None:
    with opened_store(settings) as store:
        slugs = [one.slug for one in store.read(organizations.listing)]
        links = [setup_link(settings, store, slug) for slug in slugs] if settings.local else []
    lines = ["", "dagster-scim is up. Ctrl-C stops it.", ""]
    lines += [f"  SCIM base URL   {settings.scim_base_url(slug)}" for slug in slugs]
    lines += [f"  Settings        {settings.base_url}/{slug}/settings" for slug in slugs]
    lines += [f"  First sign-in   {link}  (works once, on this machine)" for link in links]
    lines += [f"  SCIM token      {token}  (shown this once)"] if token else []
    lines += [
        f"  Dagster UI      http://127.0.0.1:{dagster_port}",
        f"  Reports         {settings.reports_path}",
        f"  Alerts          {_alerts(settings)}",
        "",
        f"  Another token:     {command_name()} token create {slugs[0]}",
        f"  See it with data:  {command_name()} demo   (in another terminal)",
        "",
    ]
    typer.echo("\n".join(lines))


def _alerts(settings: Settings) -> str:
    count = len(settings.alert_urls)
    return f"to {count} channel{'s' * (count > 1)}" if count else "nowhere: set DAGSTER_SCIM_ALERT_URLS"


def command_name() -> str:
    """Return how a person calls this program from the folder they are in."""
    path = Path(program("dagster-scim"))
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else "dagster-scim"


@contextmanager
def _ending_on_signal() -> Generator[None]:
    """Turn Ctrl-C and SIGTERM into the end of the block, and of the command with status 0."""

    def leave(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        typer.echo("Stopping …", err=True)
        sys.exit(0)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    yield
