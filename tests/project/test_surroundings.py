"""A test run is the same on a machine where flexiapi is installed, and in a shell with its variables."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flexiapi.settings import loading
from tests.kit.checkout import ROOT, environment

pytestmark = pytest.mark.long

# One test of each kind: settings and a command in this process, and a command as a process of its own.
FILES = ("tests/settings/test_loading.py", "tests/cli/test_serving.py", "tests/flows/test_data_path.py")
SOME = [*FILES, "-k", "defaults_are_safe or openapi or (cannot_be_made and hostname and command0)"]


def test_an_installation_and_its_variables_change_nothing(tmp_path):
    installed = tmp_path / "flexiapi.toml"
    installed.write_text("[nonsense]\n")
    variables = {
        "FLEXIAPI_CONFIG": str(installed),
        "FLEXIAPI_FAILPOINTS": str(tmp_path),
        "SERVER_PORT": "1",
        "SERVER_PROCESSES": "none",
        "DATA_PATH": "/nowhere",
        "APP_NAME": "Installed",
        "APP_URL": "nonsense",
        "ACCOUNT_REALM": "installed",
        "LIMITS_WRONG_CODES_PER_HOUR": "-1",
        "MONGODB_URI": "mongodb://127.0.0.1:1/",
        "SMS_MAIN": '{"backend": "nothing"}',
        "http_proxy": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *SOME]
    kept = {name: value for name, value in environment(**variables).items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "3 passed" in done.stdout


def test_a_settings_file_in_etc_is_not_read_here(tmp_path, monkeypatch):
    assert os.environ["FLEXIAPI_CONFIG"] == os.devnull
    assert loading.source_of(None) is None
    installed = tmp_path / "flexiapi.toml"
    installed.write_text("[nonsense]\n")
    # Programs that tests start have the default; they are told of no file at all.
    monkeypatch.setattr(loading, "DEFAULT_FILE", installed)
    assert loading.source_of(None) == installed
    assert loading.source_of(Path(os.devnull)) is None
