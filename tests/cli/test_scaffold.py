import os
import subprocess
import sys
import tomllib

import pytest

from flexiapi.cli.scaffold import write_distribution
from flexiapi.errors import ConfigurationError
from flexiapi.notify import Transport

pytestmark = pytest.mark.long


def install_in_place(folder):
    """Write the metadata with the entry points beside the modules, as an installer does."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))


def run(folder, *command):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("transport", Transport)
def test_a_new_distribution_passes_its_tests_at_once(transport, tmp_path):
    folder = write_distribution(transport, "my-gate2way", tmp_path)
    assert folder.name == f"flexiapi-{transport}-my-gate2way"
    install_in_place(folder)
    report = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:tornado")
    assert "22 passed" in report
    run(folder, "-m", "ruff", "format", "--check", "--line-length", "120", ".")
    run(folder, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,B,UP,ASYNC", "--line-length", "120", ".")


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "-x", "x-", "../up", "a b", "1st"])
def test_names_that_will_not_do(name, tmp_path):
    with pytest.raises(ConfigurationError, match="is not a valid name"):
        write_distribution(Transport.SMS, name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    write_distribution(Transport.SMS, "twice", tmp_path)
    with pytest.raises(ConfigurationError, match="exists already"):
        write_distribution(Transport.SMS, "twice", tmp_path)
