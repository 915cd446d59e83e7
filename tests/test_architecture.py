"""What keeps the code readable and portable: short functions, one reader of the environment, no trace of a machine."""

import ast
import re
import subprocess
from collections.abc import Iterator, Set
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from make import ROOT

FUNCTION_LINES = 50

READS_ENVIRONMENT = "scim_app/settings.py"
HANDS_ENVIRONMENT_ON = {
    "scim_app/cli/processes.py",
    "tests/forked.py",
    "tests/make.py",
    "tests/postgres.py",
    "bench/floor.py",
}
"""These give a child process the environment that they have, or find a server for the tests; no setting is read."""

MACHINE_PATH = re.compile(r"(?<![\w.~})-])/(?:home|work|tmp|root|mnt)/[\w.-]")
REGISTRY = re.compile(
    r"pypi\.(?:org|io)|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|crates\.io|rubygems\.org|golang\.org"
    r"|docker\.io|^--(?:extra-)?index-url|^--find-links",
    re.MULTILINE,
)


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


TRACKED = _tracked()
MODULES = [name for name in TRACKED if name.endswith(".py")]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _reads_environment(tree: ast.AST) -> bool:
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    settings = {"BaseSettings", "EnvVar", "environ", "environb", "getenv"}
    return bool((names | imported) & settings)


def test_the_tracked_files_are_found() -> None:
    assert {"scim_app/app.py", "scim_app/settings.py", "dagster_defs/definitions.py", "pyproject.toml"} <= set(TRACKED)


def test_no_function_is_long() -> None:
    long = {
        f"{name}:{function.name}": length
        for name in MODULES
        for function in _functions(ast.parse(_text(name)))
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


def test_settings_are_read_from_the_environment_in_one_module() -> None:
    readers = {name for name in MODULES if _reads_environment(ast.parse(_text(name)))}
    assert readers - HANDS_ENVIRONMENT_ON == {READS_ENVIRONMENT}


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['X']",
        "import os as o\no.getenv('X')",
        "from os import environ",
        "from pydantic_settings import BaseSettings",
    ],
)
def test_a_reader_of_the_environment_is_recognized(text: str) -> None:
    assert _reads_environment(ast.parse(text))


def test_no_file_names_a_path_of_one_machine() -> None:
    assert [f"{name}: {found[0]}" for name in TRACKED for found in MACHINE_PATH.finditer(_text(name))] == []


def test_no_file_names_a_package_registry() -> None:
    assert [f"{name}: {found[0]}" for name in TRACKED for found in REGISTRY.finditer(_text(name))] == []


@pytest.mark.parametrize("folder", ["home", "work", "tmp"])
def test_a_path_of_one_machine_is_recognized(folder: str) -> None:
    assert MACHINE_PATH.search(f'path = "/{folder}/ada/file"')
    assert not MACHINE_PATH.search(f"https://example.com/{folder}/page")


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Whether a circle can be imported depends on what comes first; the contracts see circles of packages alone."""
    names = {
        ".".join(Path(name).with_suffix("").parts).removesuffix(".__init__"): name
        for name in MODULES
        if name.startswith(("scim_app/", "dagster_defs/"))
    }
    TopologicalSorter({name: _imports(_text(path), names.keys()) for name, path in names.items()}).prepare()


def _imports(text: str, names: Set[str]) -> set[str]:
    """Which of the modules a text imports when it is imported itself."""
    found: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = {f"{node.module}.{alias.name}" for alias in node.names} & names
            found |= modules or {node.module} & names
    return found
