"""`dagster-scim request`: what the identity provider sent lately, why it was refused, and what to do."""

from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, show_fields
from scim_app.cli.walking import walk
from scim_app.errors import NotFound
from scim_app.store.views import request_list
from scim_app.store.views.request_list import Request
from scim_app.store.views.request_log import KEPT

app = typer.Typer(help="Requests of the identity provider.", no_args_is_help=True)

SHORT = ("id", "at", "method", "path", "status", "cause", "what_to_do")


@app.command("list")
def list_all(
    org: Organization,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were refused.")] = False,
    cause: Annotated[str, typer.Option(help="Only those of a cause, such as `name_taken`.")] = "",
    method: Annotated[str, typer.Option(help="Only those of an HTTP method.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=KEPT, help="Most requests to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List requests, the newest first."""
    outcome = "failed" if failed else ""

    def page(before: str | None) -> tuple[list[Request], str | None]:
        asked = {"outcome": outcome, "method": method.upper(), "cause": cause, "before": before or ""}
        rows, following = desk.read(request_list.list_requests, **asked)
        return rows, following or None

    with acting(org) as desk:
        rows = [_row(one) for one in islice(walk(page), limit)]
    show(rows[0] if as_json and rows else SHORT, rows, as_json=as_json)


@app.command("show")
def show_one(
    org: Organization, request_id: Annotated[str, typer.Argument(help="Id of the request.")], as_json: AsJson = False
) -> None:
    """Show one request whole: what was sent, what was answered, what it means and what to do."""
    with acting(org) as desk:
        found = desk.read(request_list.get, request_id)
    if found is None:
        raise NotFound(f"there is no request {request_id!r} in the log; the last {KEPT:,} are kept")
    show_fields(_row(found), as_json=as_json)


@app.command()
def health(org: Organization, as_json: AsJson = False) -> None:
    """Show how the connection does: last request, last success, failures by cause in 24 hours."""
    with acting(org) as desk:
        found = desk.read(request_list.health)
    times = {"last_request_at": found.last_request_at, "last_success_at": found.last_success_at}
    row = {**times, "requests": found.requests, "failures": found.failures}
    causes = [asdict(cause) for cause in found.causes]
    if as_json:
        show_fields({**row, "causes": causes}, as_json=True)
        return
    show(row, [row], as_json=False)
    if causes:
        show(("meaning", "requests", "what_to_do"), causes, as_json=False)


def _row(found: Request) -> dict[str, Any]:
    failure = found.failure
    said = {"meaning": failure.meaning if failure else None, "what_to_do": failure.what_to_do if failure else None}
    return asdict(found) | said
