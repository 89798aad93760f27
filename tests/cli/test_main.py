"""The `flexiapi` command and the help of all its commands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flexiapi.cli import main


def commands(group=main, path=()):
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*path, name), command
            if hasattr(command, "commands"):
                yield from commands(command, (*path, name))


@pytest.mark.parametrize(("path", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in commands()])
def test_every_command_explains_itself(path, command):
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    assert "\\b" not in shown.stdout
    assert len(shown.stdout.splitlines()[2].strip()) > 20
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help, f"{parameter.name} of {path}"


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "flexiapi", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"flexiapi, version \d+\.\d+\.\d+(\.post\d+)?\n", done.stdout)
    assert Path(sys.executable).with_name("flexiapi").exists()
