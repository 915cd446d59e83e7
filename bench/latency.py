"""From a deactivation over HTTP to the alert in people's hands: `python bench/latency.py [ROUNDS]`.

Everything runs as `make run` does, over a home of its own: the service, Dagster's daemon and webserver, the default
intervals. In each round an account with a team is provisioned and, once that has come through, deactivated as Okta
does it. The clock stops when a local webhook and a local mail server both have the alert with the access it cost.
Prints `median N s, worst N s`.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from inboxes import inboxes
from running import dev

ROUNDS = 10
LIMIT_SECONDS = 180
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
DEACTIVATE = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}


def main() -> None:
    """Run the rounds; exit status 1 when an alert does not come."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with (
        tempfile.TemporaryDirectory() as home,
        inboxes() as (addresses, received),
        dev(Path(home), addresses) as (base_url, token, _),
    ):
        taken = list[float]()
        for number in range(rounds):
            taken.append(one_round(base_url, token, received, number))
            print(f"round {number + 1}: {taken[-1]:.1f} s", flush=True)
    print(f"median {statistics.median(taken):.1f} s, worst {max(taken):.1f} s")


def one_round(base_url: str, token: str, received: dict[str, list[str]], number: int) -> float:
    """Provision and deactivate one person, and return the seconds until both inboxes have the alert."""
    name, team = f"leaver.{number}@example.com", f"Team {number}"
    with httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as scim:
        user = {"schemas": [USER], "userName": name, "active": True}
        user_id = scim.post("/Users", json=user).raise_for_status().json()["id"]
        group = {"schemas": [GROUP], "displayName": team, "members": [{"value": user_id}]}
        scim.post("/Groups", json=group).raise_for_status()
        began = time.monotonic()
        scim.patch(f"/Users/{user_id}", json=DEACTIVATE).raise_for_status()
    told = f"Account deprovisioned: {name}"
    while not all(any(told in text and team in text for text in received[inbox]) for inbox in ("webhook", "mail")):
        if time.monotonic() - began > LIMIT_SECONDS:
            raise SystemExit(f"no alert on {name} within {LIMIT_SECONDS} s")
        time.sleep(0.05)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
