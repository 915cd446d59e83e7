"""`dagster-scim serve` and `dagster-scim migrate`: the SCIM service alone, for production."""

from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import uvicorn

from scim_app.private import make_home
from scim_app.settings import Settings, set_in_vain, share_metrics
from scim_app.store.db import migrate

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port of the SCIM service.")]


START_SECONDS = 60


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
) -> None:
    """Start the SCIM service. Put a TLS proxy before it and set DAGSTER_SCIM_PUBLIC_URL to the proxy's address."""
    from scim_app.app import require_ready  # other commands start faster without the web application

    require_ready(Settings())
    if workers == 1:
        return _run(host, port, workers)
    with TemporaryDirectory(prefix="dagster-scim-metrics-") as folder:
        share_metrics(folder)
        return _run(host, port, workers)


def _run(host: str, port: int, workers: int) -> None:
    uvicorn.run(
        "scim_app.app:create_worker",
        factory=True,
        http="scim_app.protocol.patience:PatientProtocol",
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_worker_healthcheck=START_SECONDS,  # a worker that still imports must not be taken for a dead one
    )


def migrate_store() -> None:
    """Bring the store to the newest schema, making it where there is none."""
    settings = Settings()
    make_home(settings.home)
    migrate.upgrade(settings.store_url)
    typer.echo("The store is up to date.", err=True)
    for sentence in set_in_vain():
        typer.echo(sentence, err=True)
