"""Make the README's picture of the report from a finished demo; needs Chromium.

.venv/bin/python docs/screenshot_report.py results/demo/report/index.html docs/images/report.png
"""

import shutil
import subprocess
import sys
from pathlib import Path

SIZE = "1100,1000"  # pixels: the answer and the first of the controls
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(page: Path, picture: Path) -> None:
    """Write a picture of the top of ``page`` to ``picture``."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium here: install the package chromium")
    picture.parent.mkdir(parents=True, exist_ok=True)
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={SIZE}"]
    command = [browser, *options, f"--screenshot={picture.resolve()}", page.resolve().as_uri()]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
