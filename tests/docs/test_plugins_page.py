"""docs/plugins.md, followed as it stands in a fresh environment."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(r"^```(console|toml) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """A folder with the wheel of flexiapi."""
    sources = tmp_path_factory.mktemp("sources") / "flexiapi"
    sources.mkdir()
    for name in ("flexiapi", "templates", "config"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, sources)
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(sources)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def script_and_output(page):
    """The page's commands as a shell script, and the pieces of output that it promises, in their order."""
    lines, promised = ["set -e"], []
    for language, file, content in BLOCK.findall(page):
        if language == "toml" and file:
            lines.append(f"cat > {file} <<'END'\n{content}END")
        if language == "console":
            for line in content.splitlines():
                (lines if line.startswith("$ ") else promised).append(line.removeprefix("$ "))
    return "\n".join(lines), promised


@pytest.mark.timeout(300)
def test_the_page_leads_to_an_installed_backend(wheels, tmp_path):
    script, promised = script_and_output(PAGE.read_text().replace("9911", str(free_port())))
    assert "pip wheel" in script
    assert len(promised) > 5
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HTTP", "http", "SSL_"))}
    environment = {
        **kept,
        **pip,
        "PIP_FIND_LINKS": str(wheels),
        "PIP_QUIET": "1",
        "PIP_NO_COMPILE": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    position = 0
    for piece in promised:
        position = done.stdout.find(piece, position)
        assert position >= 0, f"{piece!r} is not in its place in:\n{done.stdout}\n{done.stderr}"
