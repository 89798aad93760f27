"""The version of this build, and `templates/` and `config/` as `share/flexiapi/`. Plugins link to this file.

The version is that of the release in pyproject.toml and the number of commits: X.Y.Z.post417 replaces X.Y.Z.post416 by
`pip install --upgrade` (docs/decisions/0080-a-version-for-each-build.md).
"""

import os
import re
import subprocess
import sysconfig
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).absolute().parent
ABOUT = tomllib.loads((HERE / "pyproject.toml").read_text())


def version() -> str:
    information = HERE / "PKG-INFO"
    if information.exists() and (found := re.search(r"^Version: (.*)$", information.read_text(), re.MULTILINE)):
        return found[1]
    return f"{ABOUT['tool']['flexiapi']['version']}.post{number()}"


def number() -> int:
    root = next((folder for folder in (HERE, *HERE.parents[1:2]) if (folder / "flexiapi").is_dir()), HERE)
    written = root / "BUILD"
    if written.exists():
        return int(written.read_text())
    # A number that cannot be told is one that replaces what is installed.
    return commits(root) or installed() + 1


def commits(root: Path) -> int | None:
    """Return None without git, without a repository of this folder, and in a shallow clone, which has lost count."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Root may build what another user has cloned; counting runs nothing of the repository.
    git = ["git", "-c", f"safe.directory={root.resolve()}", "-C", str(root)]

    def ask(*question: str) -> list[str]:
        done = subprocess.run([*git, *question], env=variables, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    try:
        top, shallow = ask("rev-parse", "--show-toplevel", "--is-shallow-repository")
        if shallow == "true" or Path(top).resolve() != root.resolve():
            return None
        return int(ask("rev-list", "--count", "HEAD")[0])
    except (OSError, subprocess.CalledProcessError):
        return None


def installed() -> int:
    found = distributions(name=ABOUT["project"]["name"], path=[sysconfig.get_path("purelib")])
    return max((int(one.version.partition(".post")[2] or 0) for one in found), default=0)


def shared(folder: str) -> list[tuple[str, list[str]]]:
    directories = [path for path in (Path(folder), *Path(folder).rglob("*")) if path.is_dir()]
    return [
        (f"share/flexiapi/{directory}", [str(path) for path in sorted(directory.iterdir()) if path.is_file()])
        for directory in directories
    ]


setup(version=version(), data_files=shared("templates") + shared("config"))
