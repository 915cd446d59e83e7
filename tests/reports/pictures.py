"""`PYTHONPATH=tests python tests/reports/pictures.py FOLDER`: renew the pictures of the reports in the documents.

FOLDER is that of the reports of an organization, as `make reports` makes it. Pages are drawn by Chromium and, for the
PDF, by `pdftoppm` of Debian's package poppler-utils.
"""

import subprocess
import sys
from pathlib import Path

from browser.places import ARGUMENTS, chromium_path
from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).parents[2] / "docs" / "images" / "reports"
SIZE = {"width": 1180, "height": 1000}


def main(root: Path) -> None:
    """Draw the newest pack of each report."""
    newest = [max(report.iterdir()) for report in sorted(root.iterdir())]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for pack in newest:
            page = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
            page.goto((pack / "report.html").as_uri())
            page.screenshot(path=PICTURES / f"{pack.parent.name}.png")
            page.close()
        browser.close()
    for pack in newest:
        drawn = ["pdftoppm", "-png", "-r", "80", "-f", "1", "-l", "1", "-singlefile"]
        subprocess.run([*drawn, pack / "report.pdf", PICTURES / f"{pack.parent.name}_pdf"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
