"""Commands with a data path that they cannot use: one sentence, and status 1."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from flexiapi.cli import main

pytestmark = pytest.mark.long

NOBODY = pwd.getpwnam("nobody").pw_uid
CREATE = ("accounts", "create-admin", "some.admin", "--generate")
COMMANDS = [("serve",), ("check",), CREATE]
# As another user this checkout may be out of reach: all is imported before.
AS_USER = "import os, sys; from flexiapi.cli import main; user = int(sys.argv.pop(1)); user and os.setuid(user); main()"


def refused(data, command=("serve",), user=0, **environment):
    """Return the message of a command that must fail."""
    settings = {"DATA_PATH": str(data), "SERVER_PORT": "0", "SERVER_PROCESSES": "1", **environment}
    argv = [sys.executable, "-c", AS_USER, str(user if os.geteuid() == 0 else 0), *command]
    done = subprocess.run(argv, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    return done.stderr


@pytest.fixture
def folder():
    """A data path that other users can get to, of the user who runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("data", "reason"), [("/proc/x", "No such file or directory"), ("/etc/hostname", "Not a directory")]
)
def test_a_folder_that_cannot_be_made(data, reason, command):
    said = refused(data, command)
    assert said.startswith(f"flexiapi: data.path (DATA_PATH): {data}")
    assert f"cannot be written: {reason}. Name a folder" in said
    assert refused(data, command, APP_KEY="k" * 40).startswith(f"flexiapi: data.path (DATA_PATH): {data}")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_of_another_user(folder, as_root, command):
    said = refused(folder, command, NOBODY)
    assert said.startswith(f"flexiapi: data.path (DATA_PATH): {folder}")
    assert "cannot be written: Permission denied. " in said
    assert "belongs to the user root, and this runs as nobody" in said


@pytest.mark.parametrize("name", ["mongodb/flexiapi.lock", "mongodb/mongod.lock", "application.key"])
def test_a_file_of_another_user(folder, name, as_root):
    (folder / "mongodb").mkdir()
    for path in (folder, folder / "mongodb"):
        os.chown(path, NOBODY, -1)
    (folder / name).touch(0o600)
    (folder / "mongodb" / "WiredTiger").touch()
    if name != "application.key":
        (folder / "application.key").write_text("k" * 40)
        os.chown(folder / "application.key", NOBODY, -1)
    said = refused(folder, user=NOBODY)
    assert said.startswith(f"flexiapi: data.path (DATA_PATH): {folder / name} cannot be ")
    assert f": Permission denied. {folder / name} belongs to the user root, and this runs as nobody" in said


@pytest.mark.parametrize("made", [True, False])
def test_root_leaves_nothing_in_the_folder_of_a_user(folder, as_root, made):
    os.chown(folder, NOBODY, -1)
    if made:
        (folder / "mongodb").mkdir()
        (folder / "mongodb" / "WiredTiger").touch()
        (folder / "application.key").write_text("k" * 40)
        os.chown(folder / "mongodb", NOBODY, -1)
    said = refused(folder)
    assert "belongs to the user nobody" in said
    assert not (folder / "mongodb" / "mongod.log").exists()
    assert (folder / "application.key").exists() is made


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_key_file_that_holds_no_key(folder, content):
    (folder / "application.key").write_bytes(content)
    assert refused(folder).startswith(f"flexiapi: {folder}/application.key holds no application key")


def test_a_database_whose_key_is_gone_gets_no_new_one(tmp_path):
    environment = {"DATA_PATH": str(tmp_path)}

    def run(*arguments):
        return CliRunner().invoke(main, arguments, env=environment)

    assert run(*CREATE).exit_code == 0
    key = tmp_path / "application.key"
    kept = key.read_text()
    key.unlink()
    for command in COMMANDS:
        done = run(*command)
        assert done.exit_code == 1
        assert done.stderr.startswith(f"flexiapi: {key} is missing")
        assert not key.exists()
    key.write_text(kept)
    assert run(*CREATE[:2], "other.admin", CREATE[3]).exit_code == 0


def test_an_earlier_key_that_can_be_none(folder):
    said = refused(folder, APP_KEY="k" * 40, APP_PREVIOUS_KEYS="x" * 40 + ",short")
    assert said.startswith("flexiapi: app.previous_keys (APP_PREVIOUS_KEYS): key 2 is too short")
