"""The recipe for an endpoint in CONTRIBUTING.md, followed in a copy of the tree."""

import re
import shutil
import subprocess
import sys
from textwrap import dedent, indent

import pytest

from tests.kit.checkout import ROOT, environment

pytestmark = pytest.mark.long

RECIPE = (ROOT / "CONTRIBUTING.md").read_text().partition("## Recipe: a new endpoint\n")[2].partition("\n## ")[0]
BLOCK = re.compile(
    r"^ {3}```python\n {3}# (\S+\.py)(?:, in the class (\w+))?\n(.*?)^ {3}```$", re.MULTILINE | re.DOTALL
)
WING = "flexiapi/services/accounts/__init__.py"
SWEEP = "tests/project/test_declarations.py"


@pytest.fixture
def copy(tmp_path):
    """A copy of what the server and its tests consist of."""
    for name in ("flexiapi", "tests", "templates", "config"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def follow(folder):
    """Write the blocks of the recipe to their places. Return the files."""
    written = []
    for name, class_name, block in BLOCK.findall(RECIPE):
        path, lines = folder / name, dedent(block)
        if class_name:
            assert path.read_text().rpartition("\nclass ")[2].startswith(f"{class_name}(")
            lines = "\n" + indent(lines, "    ")
        elif path.exists():
            lines = "\n\n" + lines
        with path.open("a") as file:
            file.write(lines)
        written.append(path)
    return written


def insert(path, after, line):
    """Insert a line after the last one that matches."""
    lines = path.read_text().splitlines(keepends=True)
    place = max(number for number, found in enumerate(lines) if re.search(after, found))
    lines.insert(place + 1, f"{line}\n")
    path.write_text("".join(lines))


def join_the_wing(folder):
    """Do what the recipe says about the face of the wing."""
    field, made = (re.search(rf"`({name}\S* ?\S*)`", RECIPE)[1] for name in ("display_names:", "display_names="))
    face = folder / WING
    insert(
        face,
        r"^from flexiapi\.services\.accounts\.directory",
        "from flexiapi.services.accounts.display_names import DisplayNames",
    )
    insert(face, r"^    upkeep: ", f"    {field}")
    insert(face, r"^        upkeep=", f"        {made},")
    return face


def succeeds(folder, *command):
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_recipe_leads_to_an_endpoint(copy):
    files = [str(path) for path in (*follow(copy), join_the_wing(copy))]
    assert len(files) == 5
    insert(copy / SWEEP, r"^ADDED = ", '    "PUT /api/accounts/{id}/display-name Admin": "an example",')
    succeeds(copy, sys.executable, "-m", "ruff", "check", *files)
    tests = (SWEEP, "tests/api/test_display_names.py")
    succeeds(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
