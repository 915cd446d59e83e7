"""Writes docs/conformance.md: the rules of `checklist.toml`, each with the tests that show it."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
HEAD = """# Conformance

What the RFCs ask of a SCIM service provider, and the tests that show it. Made from `tests/conformance/checklist.toml`
by `make conformance`; a test holds it fresh.
"""


def sections() -> list[dict[str, object]]:
    """The sections of the checklist: a title, and rows of id, place, level and rule."""
    return tomllib.loads(Path(__file__).with_name("checklist.toml").read_text())["section"]


def shown() -> dict[str, list[tuple[str, str]]]:
    """Row → the tests that name it: file and name of the test."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                for row in _rows(node):
                    found.setdefault(row, []).append((path.relative_to(ROOT).as_posix(), node.name))
    return found


def _rows(node: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rfc":
            yield from (str(ast.literal_eval(row)) for row in mark.args)


def page() -> str:
    """The page as it should be."""
    tests, text = shown(), [HEAD]
    for section in sections():
        text.append(f"## {section['title']}\n\n| rule | place | level | tests |\n|---|---|---|---|")
        for row, place, level, rule in section["rows"]:  # type: ignore[misc]
            links = ", ".join(_link(*test) for test in tests.get(row, []))
            text.append(f"| {rule} | {place} | {level} | {links} |")
        text.append("")
    return "\n".join(text)


def _link(path: str, name: str) -> str:
    words = name.removeprefix("test_").replace("_", " ")
    return f"[{words}](../{path})"


if __name__ == "__main__":
    PAGE.write_text(page())
