"""`python -m dagster_defs.evidence_run`: write the evidence packs of a period, without a Dagster run.

Without arguments it writes the packs of all reports for the periods that ended last.
"""

import argparse
import sys

from dagster_duckdb import DuckDBResource

from dagster_defs.assets.evidence import chosen_period, write_packs
from dagster_defs.evidence.reports import REPORTS
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import ScimStore, dbt
from scim_app.settings import Settings


def main() -> None:
    """Write the packs and print their folders."""
    parser = argparse.ArgumentParser(prog="python -m dagster_defs.evidence_run", description=__doc__)
    parser.add_argument("report", nargs="?", choices=list(REPORTS), help="which report; all without it")
    parser.add_argument("--period", help="2026-W47, 2026-11 or 2026-Q4; the one that ended last without it")
    asked = parser.parse_args()
    if asked.period and not asked.report:
        parser.error("say which report the period is for")
    settings = Settings()
    for spec in [REPORTS[asked.report]] if asked.report else REPORTS.values():
        try:
            period = chosen_period(spec, asked.period or "", last_day(DAYS))
        except ValueError as error:
            parser.error(str(error))
        packs = write_packs(
            spec,
            period,
            dbt=dbt(),
            scim=ScimStore(settings.store_url),
            warehouse=DuckDBResource(database=str(settings.warehouse_path)),
            root=settings.reports_path,
            run_id="",
        )
        for pack in packs.folders:
            sys.stdout.write(f"{pack}\n")
        for org, why in packs.left_out.items():
            sys.stderr.write(f"no report of {org} is made: {why}\n")


if __name__ == "__main__":
    main()
