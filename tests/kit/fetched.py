"""Files that `.ci/fetch` fetches for tests: packages of npm, and linphone 5.3 with its own libraries."""

import sys
from pathlib import Path

from tests.kit.checkout import ROOT

FETCHED = Path(sys.prefix) / "fetched"


def fetched(*parts: str) -> Path:
    """Return a fetched file or folder. Fails, and says how to fetch it, if it is missing."""
    path = FETCHED.joinpath(*parts)
    command = ".ci/fetch" if FETCHED.parent == ROOT / ".venv" else f"VENV={sys.prefix} .ci/fetch"
    assert path.exists(), f"{path} is missing: run `{command}` in {ROOT} (`make test` does)"
    return path


def node(script: str) -> list[str]:
    """Return the command that runs the program of an npm package, named by its path in `node_modules`."""
    return [str(Path(sys.prefix) / "bin" / "node"), str(fetched("npm", "node_modules", *script.split("/")))]
