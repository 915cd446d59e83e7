"""Beside another project in one Dagster: `python bench/shared_instance.py [MINUTES]`, an hour without a number.

The other code location has jobs, sensors and assets with names of ours; its processes have a PID namespace of their own.
People come and go here every few seconds. Prints the runs of both by job and status each minute; exit status 1 when a
run of theirs came to another end than its own, or none of ours succeeded.
"""

import sys
import tempfile
import time
from pathlib import Path

from directories import Directory
from make import organization, settings
from neighbours import OURS, THEIRS, neighbours

SECONDS_BETWEEN_EVENTS = 5


def main() -> None:
    """Run both for so many minutes and print what became of their runs."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder:
        directory = Directory(organization(settings(Path(folder))))
        with neighbours(Path(folder)) as both:
            began, told = time.monotonic(), 0.0
            pushes = 0
            while (elapsed := time.monotonic() - began) < minutes * 60:
                user = directory.user(f"person.{pushes}@example.com")
                if pushes % 2:
                    directory.deactivate(user)
                pushes += 1
                if elapsed >= told:
                    told += 60
                    print(
                        f"{elapsed / 60:5.1f} min  theirs {both.counts(THEIRS)}; ours {both.counts(OURS)}", flush=True
                    )
                time.sleep(SECONDS_BETWEEN_EVENTS)
            both.let_long_runs_end()
            time.sleep(SECONDS_BETWEEN_EVENTS)
            theirs, ours = both.counts(THEIRS), both.counts(OURS)
            looks = both.ticks("lost_run_sensor")
        directory.store.close()
    harmed = {what: count for what, count in theirs.items() if what.split()[1] in ("FAILURE", "CANCELING", "CANCELED")}
    print(f"{minutes:g} minutes, {pushes} pushes, {looks} looks at lost runs, PID namespace: {both.is_apart}")
    print(f"theirs: {theirs}")
    print(f"ours: {ours}")
    print(f"verdict: {harmed or 'no run of theirs was harmed'}")
    sys.exit(bool(harmed) or not ours.get("provisioning SUCCESS"))


if __name__ == "__main__":
    main()
