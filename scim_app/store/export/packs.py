"""Evidence packs: what a pack's manifest holds, how cells of its CSV files are made safe, and how a pack is verified.

A pack is a folder `reports/<organization>/<report>/<period>/` with `report.html`, `report.pdf`, a CSV file for each
table, `manifest.json` (the same bytes for the same period) and `run.json` (which run wrote it).
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from scim_app.store.export import Export

MANIFEST, RUN = "manifest.json", "run.json"
FORMAT = 1
_RUNS = re.compile("[\\s\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069]*[=+@\uff1d\uff0b\uff0d\uff20\t\r\n-]")
"""What a spreadsheet takes for a formula, whatever it trims in front of it."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return rows as CSV (RFC 4180, UTF-8) with a header; a cell that a spreadsheet would run begins with `'`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """Return a value as the text of a CSV cell: numbers and moments as they are, text neutralised."""
    text = "" if value is None else str(value)
    if not isinstance(value, str):
        return text
    text = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{text}" if _RUNS.match(text) else text


def digest(content: bytes) -> str:
    """Return the SHA-256 (hexadecimal) of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


def evidence_digest(evidence: Any) -> str:
    """Return the SHA-256 of the hashed part of a manifest, whatever the order of its keys."""
    return digest(orjson.dumps(evidence, option=orjson.OPT_SORT_KEYS))


def manifest_of(evidence: Any) -> bytes:
    """Return the bytes of `manifest.json`: the evidence, and the digest that closes it."""
    whole = {"format": FORMAT, "evidence": evidence, "evidence_sha256": evidence_digest(evidence)}
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def packs(root: Path) -> list[Path]:
    """Return the folders of the packs below the folder of all reports, in order."""
    return sorted(path.parent for path in root.glob(f"*/*/*/{MANIFEST}"))


def read_manifest(pack: Path) -> dict[str, Any]:
    """Return a pack's manifest.

    Raises:
        ValueError: when the folder is no pack, or its manifest can't be read.
    """
    try:
        return orjson.loads((pack / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ValueError(f"{pack} holds no evidence pack: {error}") from error


def read_run(pack: Path) -> str:
    """Return the id of the run that wrote a pack, empty where that is not known."""
    path = pack / RUN
    return str(orjson.loads(path.read_bytes())["run_id"]) if path.exists() else ""


def verify(pack: Path, export: Export) -> list[str]:
    """Return in sentences what is wrong with a pack, by its own files and by the event log; nothing when it holds.

    Raises:
        ValueError: when the folder is no pack.
    """
    manifest = read_manifest(pack)
    evidence = manifest.get("evidence", {})
    problems = list(_wrong_files(pack, evidence.get("files", [])))
    if manifest.get("evidence_sha256") != evidence_digest(evidence):
        problems.append("manifest.json was changed after the pack was written")
    return problems + list(_wrong_log(evidence.get("organization", ""), evidence.get("log", {}), export))


def _wrong_files(pack: Path, files: Sequence[dict[str, Any]]) -> Iterable[str]:
    told = {one["file"]: one["sha256"] for one in files}
    there = {path.name for path in pack.iterdir()} - {MANIFEST, RUN}
    for name in sorted(told.keys() - there):
        yield f"{name} is missing"
    for name in sorted(there - told.keys()):
        yield f"{name} does not belong to the pack"
    for name in sorted(told.keys() & there):
        if digest((pack / name).read_bytes()) != told[name]:
            yield f"{name} was changed after the pack was written"


def _wrong_log(slug: str, log: dict[str, Any], export: Export) -> Iterable[str]:
    head = next((one for one in export.heads() if one.slug == slug), None)
    if head is None:
        yield f"the store has no organization {slug!r}"
        return
    if head.log_epoch != log["epoch"]:
        yield "the log is in another life than the pack: the store was restored from a backup since"
    if broken := export.first_break(head.org_id):
        yield f"the event log is broken: {broken}"
    found = export.events(head.org_id, after=log["last_event"] - 1, limit=1)
    if not found or found[0]["seq"] != log["last_event"]:
        yield f"the log ends at event {head.last_seq}, the pack stands at event {log['last_event']}"
    elif found[0]["hash"] != log["head_hash"]:
        yield f"event {log['last_event']} is not the one that the pack stands at: the log was rewritten"
