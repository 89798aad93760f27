"""The checkout: its root, its text files, and the environment of a shell that stands in it."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]

_MADE = {"__pycache__", "build", "dist", "node_modules", "results", "screenshots", "var"}
_HIDDEN = {".ci", ".github"}
_ARCHIVES = (".whl",)
_CALLERS = ("GIT_", "MAKE", "MFLAGS", "PRE_COMMIT", "PYTHON", "SKIP", "VENV")


def text_files():
    """Return the files that are written by hand or kept with them, without those that tools make."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name in _HIDDEN or not (name in _MADE or _is_of_a_tool(name))]
        found += [Path(folder) / name for name in names if name != ".git" and not name.endswith(_ARCHIVES)]
    return sorted(found)


def _is_of_a_tool(folder):
    return folder.startswith(".") or folder.endswith((".egg-info", ".dist-info"))


def environment(**variables):
    """Return the variables of this process without those of a `make`, a hook or a git that started it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_CALLERS)}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **variables}
