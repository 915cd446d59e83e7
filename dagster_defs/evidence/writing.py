"""Writing a pack: all its files at once, the same bytes for the same report."""

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from dagster_defs.evidence.pages import html, pdf
from dagster_defs.evidence.reading import Report
from scim_app.private import make_file, make_folder
from scim_app.store.export.packs import MANIFEST, RUN, as_csv, digest, manifest_of

_VERSIONS = ("dagster-scim", "dbt-core", "duckdb", "jinja2", "typst")


def folder(root: Path, organization: str, report: str, period: str) -> Path:
    """Return the folder of a pack below that of all reports; it is the same for good."""
    return root / organization / report / period


def write(report: Report, root: Path, *, run_id: str, parameters: Mapping[str, Any]) -> Path:
    """Write a report's pack and return its folder; it appears whole or not at all.

    Args:
        report: what it tells.
        root: folder of all reports.
        run_id: the Dagster run that writes it; beside the manifest, as a second run gives the same pack.
        parameters: what the marts were built with.
    """
    parameters = {**parameters, **_settings(report)}
    files = _files(report, parameters)
    evidence = _evidence(report, files, parameters)
    final = folder(root, report.standing.slug, report.spec.name, report.period.name)
    building = final.with_name(f"{final.name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    make_folder(root)
    make_folder(building)
    written = {MANIFEST: manifest_of(evidence), RUN: orjson.dumps({"run_id": run_id}, option=orjson.OPT_APPEND_NEWLINE)}
    for name, content in {**files, **written}.items():
        make_file(building / name)
        (building / name).write_bytes(content)
    shutil.rmtree(final, ignore_errors=True)
    return building.rename(final)


def _settings(report: Report) -> dict[str, Any]:
    """Return the settings that the results rest on, as they were, and which of them could be taken from today alone."""
    standing = report.standing
    return {
        "time_zone": standing.time_zone,
        **standing.thresholds,
        "taken_from_the_present": ", ".join(standing.of_the_present),
    }


def _files(report: Report, parameters: Mapping[str, Any]) -> dict[str, bytes]:
    log = _log(report)
    files = {f"{sheet.spec.name}.csv": as_csv(sheet.columns, sheet.rows) for sheet in report.sheets}
    exports = {name: one.content for name, one in report.exports.items()}
    return {
        **files,
        **exports,
        "report.html": html(report, log, parameters),
        "report.pdf": pdf(report, log, parameters),
    }


def _evidence(report: Report, files: Mapping[str, bytes], parameters: Mapping[str, Any]) -> dict[str, Any]:
    sheets = {f"{sheet.spec.name}.csv": sheet for sheet in report.sheets}
    rows = {name: len(sheet.rows) for name, sheet in sheets.items()}
    rows |= {name: one.rows for name, one in report.exports.items()}
    return {
        "organization": report.standing.slug,
        "report": report.spec.name,
        "title": report.spec.title,
        "period": report.period.name,
        "first_day": report.period.begins.isoformat(),
        "last_day": report.period.last_day.isoformat(),
        "from": f"{report.instants[0].isoformat()}Z",
        "until": f"{report.instants[1].isoformat()}Z",
        "log": _log(report),
        "parameters": dict(parameters),
        "versions": {name: version(name) for name in _VERSIONS},
        "files": [
            {
                "file": name,
                "sha256": digest(files[name]),
                "rows": rows.get(name),
                "query_sha256": sheets[name].query_sha256 if name in sheets else None,
            }
            for name in sorted(files)
        ],
    }


def _log(report: Report) -> dict[str, Any]:
    standing = report.standing
    return {
        "epoch": standing.log_epoch,
        "first_event": standing.first_event,
        "last_event": standing.last_event,
        "head_hash": standing.head_hash,
    }
