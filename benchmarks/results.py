"""Results as files: those of the last run, and the published ones, which the documentation is made from."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "results"
LATEST = _FOLDER / "latest.json"
SIP = _FOLDER / "sip.json"
PUBLISHED = _FOLDER / "published.json"
_LIBRARIES = ("tornado", "uvloop", "motor", "pymongo")


def write(file: Path, content: object) -> None:
    """Write JSON in one step: a reader finds the whole of it, or what was there before."""
    file.parent.mkdir(exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    new.replace(file)


def published(rows: list[dict[str, object]], **options: object) -> dict[str, object]:
    """Return rows with what a reader has to know about the run that made them."""
    return {"day": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), **options, "rows": rows}


def with_new(rows: list[dict[str, object]]) -> dict[str, Any]:
    """Return the published results with these rows in the place of those of the same name, or at their end."""
    known = json.loads(PUBLISHED.read_text())
    new = {_name(row): row for row in rows}
    kept = [new.pop(_name(row), row) for row in known["rows"]]
    return {**known, "rows": [*kept, *new.values()]}


def _name(row: dict[str, Any]) -> tuple[object, ...]:
    return (row["endpoint"], row.get("by"), row.get("by") and (row["accounts"], row["processes"]))


def machine() -> dict[str, Any]:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "processor": found[1] if found else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
