"""Every command with its parameters and its words, held against `help.txt`: a change of them is seen, and meant.

`python tests/cli/test_help.py` writes the file anew.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import make
import pytest
import typer
import typer.rich_utils
from typer.testing import CliRunner

from scim_app import cli

HELP = Path(__file__).with_name("help.txt")


def whole() -> str:
    """The help of all commands, as a terminal of 100 columns shows it."""
    paths = [[]]
    for name in cli.names():
        if name == "webserver":  # hands over to Dagster's own, whose help is not ours
            continue
        paths += [[name], *([name, inner] for inner in getattr(cli.load(name), "commands", {}))]
    pages = [CliRunner().invoke(cli.app, [*path, "--help"], prog_name="dagster-scim").output for path in paths]
    return "\n".join("\n".join(map(str.rstrip, page.strip().splitlines())) + "\n" for page in pages)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 100 columns without colours."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 100)


@pytest.mark.usefixtures("narrow")
def test_the_commands_are_those_that_were_meant() -> None:
    assert whole() == HELP.read_text()


def test_the_first_page_of_help_says_of_each_command_what_it_says_of_itself() -> None:
    root: Any = typer.main.get_command(cli.app)
    summaries = {name: root.get_command(None, name).help for name in root.list_commands(None)}
    assert summaries == {name: (cli.load(name).help or "").split("\n\n")[0].replace("\n", " ") for name in summaries}


def test_help_and_version_load_neither_the_store_nor_the_protocol() -> None:
    code = (
        "import sys; from scim_app import cli; sys.argv = ['dagster-scim', sys.argv[1]]\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(sorted({'sqlalchemy', 'scim2_models', 'pydantic', 'fastapi'} & set(sys.modules)))"
    )
    for option in ("--help", "--version"):
        ended = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)
        assert ended.stdout.splitlines()[-1] == "[]", option


def test_the_version_is_the_distributions(tmp_path: Path) -> None:
    shown = make.command("--version", home=tmp_path)
    assert shown.stdout.strip() == f"dagster-scim {cli.version()}"


@pytest.mark.parametrize("wrong", [["nonsense"], ["token", "nonsense"]])
def test_an_unknown_command_is_an_error_of_usage(wrong: list[str], tmp_path: Path) -> None:
    ended = make.command(*wrong, home=tmp_path)
    assert ended.returncode == 2
    assert "No such command 'nonsense'" in ended.stderr


if __name__ == "__main__":
    typer.rich_utils.MAX_WIDTH = 100
    HELP.write_text(whole())
