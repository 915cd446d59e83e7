"""The code locations of a running Dagster instance, read from its GraphQL API."""

from http import HTTPStatus
from typing import Any

import httpx

from scim_app.errors import DirectoryError

SECONDS = 10
BYTES = 4 * 1024 * 1024

_QUERY = """
query CodeLocations {
  workspaceOrError {
    __typename
    ... on Workspace { locationEntries { name } }
    ... on PythonError { message }
  }
}
"""
"""A code location that can't be loaded has an entry too: roles hold on it all the same."""


class DagsterUnreadable(DirectoryError):
    """The Dagster instance can't be reached, or does not answer as one."""


def read_code_locations(url: str) -> list[str]:
    """Return the names of the code locations of the Dagster instance at an address, in order.

    Args:
        url: address of its web server, such as `http://127.0.0.1:3000`.

    Raises:
        DagsterUnreadable: when nothing answers there, or not as Dagster does.
    """
    address = f"{url.rstrip('/')}/graphql"
    try:
        # Neither proxies nor redirects: the address that was given is the one that is asked.
        with httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as client:
            answer = client.post(address, json={"query": _QUERY})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DagsterUnreadable(f"no Dagster answers at {url}: start it, or give the address of its UI") from error
    if answer.status_code != HTTPStatus.OK or len(answer.content) > BYTES:
        raise DagsterUnreadable(f"what answers at {url} is not a Dagster instance (status {answer.status_code})")
    return _names(answer, url)


def _names(answer: httpx.Response, url: str) -> list[str]:
    try:
        found: dict[str, Any] = answer.json()["data"]["workspaceOrError"]
        if found["__typename"] == "PythonError":
            raise DagsterUnreadable(f"Dagster at {url} can't tell its code locations: {found['message'][:300]}")
        return sorted({str(entry["name"]) for entry in found["locationEntries"]})
    except (ValueError, KeyError, TypeError) as error:
        raise DagsterUnreadable(f"what answers at {url} is not a Dagster instance") from error
