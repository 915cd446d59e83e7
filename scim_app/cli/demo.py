"""`dagster-scim demo`: a small company's provisioning, played over HTTP, then made into assets and a report."""

import typer


def demo() -> None:
    """Play recorded exchanges."""
    raise typer.Exit(1)
