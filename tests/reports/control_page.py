"""`python tests/reports/control_page.py`: write the table of controls in docs/reports.md from its declarations."""

import csv
from itertools import groupby

import make

from scim_app.directory.controls import TESTS

PAGE = make.ROOT / "docs" / "reports.md"
BEGIN, END = "<!-- controls: made by tests/reports/control_page.py -->", "<!-- end of controls -->"


def matrix() -> str:
    """Return the table: each control with its tests, and each test with what it asserts."""
    with (make.ROOT / "dbt_like_reports" / "seeds" / "controls.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["| framework | control | tests |", "|---|---|---|"]
    for (framework, control, title), group in groupby(
        rows, lambda row: (row["framework"], row["control"], row["title"])
    ):
        tests = ", ".join(f"`{row['test_name']}`" for row in group)
        lines.append(f"| {framework} | {control} {title} | {tests} |")
    lines += ["", "| test | passes when |", "|---|---|"]
    lines += [f"| `{test}` | {said} |" for test, said in TESTS.items()]
    return "\n".join(lines)


def page() -> str:
    """Return the page with a fresh table."""
    text = PAGE.read_text()
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:before]}\n\n{matrix()}\n\n{text[after:]}"


if __name__ == "__main__":
    PAGE.write_text(page())
