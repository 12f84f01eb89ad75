"""Make the README's pictures, of a report's top or of one of its figures; needs Chromium.

.venv/bin/python docs/screenshot_report.py results/demo/report/index.html docs/images/report.png
.venv/bin/python docs/screenshot_report.py results/codiesp_study/report/figures/f1_by_tier.svg \
  docs/images/codiesp.png 461,298
"""

import shutil
import subprocess
import sys
from pathlib import Path

SIZE = "1100,1000"  # CSS pixels: the answer and the first of the controls
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(page: Path, picture: Path, size: str = SIZE) -> None:
    """Write a picture of the top of ``page`` to ``picture``; ``size``: width and height."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium here: install the package chromium")
    picture.parent.mkdir(parents=True, exist_ok=True)
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={size}"]
    options += ["--force-device-scale-factor=2"] if page.suffix == ".svg" else []
    command = [browser, *options, f"--screenshot={picture.resolve()}", page.resolve().as_uri()]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
