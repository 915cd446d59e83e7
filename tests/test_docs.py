"""What the documents point to exists, and the commands and settings they name are the real ones."""

import pkgutil
import re
from pathlib import Path

import make
import pytest

from scim_app import cli
from scim_app.settings import Settings

DOCUMENTS = [*make.ROOT.glob("*.md"), *make.ROOT.glob("docs/**/*.md"), *make.ROOT.glob("tests/**/*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
COMMAND = re.compile(r"dagster-scim ((?:org|token|events) [a-z]+|[a-z]+)")


def commands() -> set[str]:
    """Every command with its group, and the groups."""
    below = {name: getattr(cli.load(name), "commands", {}) for name in cli.names()}
    return {*below, *(f"{name} {command}" for name, commands in below.items() for command in commands)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(make.ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    targets = [path.parent / link for link in LINK.findall(path.read_text())]
    assert [target for target in targets if not target.exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(make.ROOT).as_posix())
def test_the_commands_named_exist(path: Path) -> None:
    assert set(COMMAND.findall(path.read_text())) <= commands()


def test_the_threat_model_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", (make.ROOT / "THREAT_MODEL.md").read_text())
    assert len(named) > 20
    missing = [(file, name) for file, name in named if f"def {name}(" not in (make.ROOT / file).read_text()]
    assert missing == []


def test_the_configuration_page_names_every_setting() -> None:
    page = (make.ROOT / "docs" / "configuration.md").read_text()
    named = set(re.findall(r"^\| `DAGSTER_SCIM_([A-Z_]+)`", page, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_decision_has_its_five_headings_and_fits_on_a_screen() -> None:
    headings = ["## Context", "## Decision", "## Consequences", "## Alternatives", "## References"]
    for page in (make.ROOT / "docs" / "decisions").glob("0*.md"):
        lines = page.read_text().splitlines()
        assert [line for line in lines if line.startswith("## ")] == headings, page.name
        assert len(lines) <= 40, page.name


GLOSSARY = (make.ROOT / "docs" / "glossary.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:scim_app|dagster_defs)\.[\w.]+)`", GLOSSARY))))
def test_the_glossary_names_what_exists(name: str) -> None:
    assert pkgutil.resolve_name(name) is not None


def test_the_glossary_names_tables_and_models_that_exist() -> None:
    tables = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"tables? ((?:`\w+`(?:, )?)+)", GLOSSARY))))
    assert tables <= make.declared_tables().tables.keys()
    dbt = make.ROOT / "dbt_like_reports"
    models = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"dbt (?:models?|seeds?) ((?:`\w+`(?:, )?)+)", GLOSSARY))))
    assert models <= {path.stem for path in (*dbt.glob("models/**/*.sql"), *dbt.glob("seeds/*.csv"))}
    assert len(tables) > 10
    assert len(models) > 5
