"""Picture and tables of `docs/performance.md`, from the published results: `python -m benchmarks.plot`."""

import json
from pathlib import Path
from typing import Any

from benchmarks.page import renewed
from benchmarks.picture import svg
from benchmarks.results import PUBLISHED

_DOCS = Path(__file__).parents[1] / "docs"
PAGE = _DOCS / "performance.md"
PICTURE = _DOCS / "performance.svg"


def results() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return loaded


def renew() -> None:
    """Write picture and page."""
    published = results()
    PICTURE.write_text(svg(published["rows"]))
    PAGE.write_text(renewed(PAGE.read_text(), published))


if __name__ == "__main__":
    renew()
