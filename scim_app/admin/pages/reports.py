"""Reports: what Dagster wrote into the reports folder, to look at and to take away."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from scim_app.admin.failures import not_found
from scim_app.admin.guard import PageRoute
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.permissions import Permission
from scim_app.store.db.stamps import instant

FOLDERS = 50
FILES = 200
_KINDS = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
}
"""What is given out; anything else in the folder is not."""

_DOCUMENTS = ("report.pdf", "report.html")
_TITLES = {
    "weekly_operations": "Weekly operations",
    "monthly_jml": "Joiners, movers and leavers",
    "access_review": "Closed access review",
    "quarterly_access_review": "Access review",
    "compliance_report": "Compliance report",
}
"""What people call the folders that the code location writes."""

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_AUDIT_LOG)]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of a report; `path` is relative to the organization's reports."""

    name: str
    path: str
    size: str
    changed_at: str

    @property
    def kind(self) -> str:
        """What people call the file's format."""
        return Path(self.name).suffix[1:].upper()


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of reports, with the time of its newest file: what people read, and the files behind it."""

    title: str
    period: str
    """What the report is about, such as `2026-Q3`; empty where the folder does not say."""
    changed_at: str
    documents: list[ReportFile]
    files: list[ReportFile]


@router.get("/{org}/settings/reports")
def show_reports(visit: See) -> Response:
    """Show the newest folders of reports with their files."""
    folders = sorted(_folders(_root(visit)), key=lambda one: one.changed_at, reverse=True)
    more = len(folders) > FOLDERS
    return visit.page("reports.html", "Reports", "reports", folders=folders[:FOLDERS], more=more)


@router.get("/{org}/settings/reports/{path:path}")
def download(visit: See, path: str) -> Response:
    """Give out one file, exactly as it was written and never to be shown within this site."""
    root = _root(visit).resolve()
    file = (root / path).resolve() if "\0" not in path else root
    if not file.is_relative_to(root) or file.suffix not in _KINDS or not file.is_file():
        raise not_found("There is no such report.", link=f"{visit.base}/reports", link_label="Reports")
    return FileResponse(file, media_type=_KINDS[file.suffix], filename=file.name, content_disposition_type="attachment")


def _root(visit: Visit) -> Path:
    return visit.site.settings.reports_path / visit.org.slug


def _folders(root: Path) -> list[Folder]:
    if not root.is_dir():
        return []
    found: dict[Path, list[Path]] = {}
    for file in sorted(root.rglob("*")):
        if file.is_file() and file.suffix in _KINDS and not file.is_symlink():
            found.setdefault(file.parent, []).append(file)
    return [_folder(root, folder, files) for folder, files in found.items()]


def _folder(root: Path, folder: Path, files: list[Path]) -> Folder:
    shown = [ReportFile(one.name, one.relative_to(root).as_posix(), _size(one), _changed(one)) for one in files[:FILES]]
    kind, _, period = folder.relative_to(root).as_posix().partition("/")
    title = _TITLES.get(kind, "Reports" if kind == "." else kind)
    documents = [one for one in reversed(shown) if one.name in _DOCUMENTS]
    behind = [one for one in shown if one not in documents]
    return Folder(title, period, max(one.changed_at for one in shown), documents, behind)


def _changed(file: Path) -> str:
    return instant(datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _size(file: Path) -> str:
    size = float(file.stat().st_size)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
