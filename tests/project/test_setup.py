"""Set-up by `make run` and `make test` where there is only git and make: `.ci/packages`, `.ci/environment`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.checkout import ROOT, environment

BASH = shutil.which("bash")
# What a minimal Debian has, and the scripts call.
ESSENTIAL = ("bash", "cat", "chmod", "comm", "dirname", "env", "cp", "grep", "rm", "sed", "sh", "sort", "tee", "true")
BOOKWORM = 'ID=debian\nVERSION_ID="12"\n'


class Machine:
    """A Debian whose packages are a list: apt-get adds to it, and what services would do is written down."""

    def __init__(self, folder, uid=0, release=BOOKWORM):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.policy = folder / "policy-rc.d"
        for name in ESSENTIAL:
            (self.bin / name).symlink_to(shutil.which(name))
        (folder / "installed").touch()
        (folder / "os-release").write_text(release)
        self.program("id", f"echo {uid}")
        self.program(
            "dpkg-query",
            'case "$1$2" in\n'
            "*db:Status-Status*) sed 's/^/installed /' installed ;;\n"
            '--listfiles*) echo "/etc/init.d/$2" ;;\n'
            '*) for name; do :; done; ! grep -qx "$name" installed || echo "install ok installed" ;;\nesac',
        )
        self.program(
            "apt-get",
            'echo "apt-get $*" >>calls\n[ "$1" = install ] || exit 0\n'
            '[ -e policy-rc.d ] && sh policy-rc.d || echo "policy $?" >>calls\nshift\n'
            'for name; do case "$name" in -*|Dpkg*) continue ;; esac\n'
            'echo "$name" >>installed; echo "Setting up $name (1)"; done\n'
            "! grep -q venv installed || cp later-python bin/python3",
        )
        self.program("later-python", f'exec {sys.executable} "$@"')
        (self.bin / "later-python").rename(folder / "later-python")
        self.program("update-rc.d", 'echo "update-rc.d $*" >>calls')

    def program(self, name, script):
        file = self.bin / name
        file.write_text(f"#!{BASH}\ncd {self.folder}\n{script}\n")
        file.chmod(0o755)

    def packages(self, target, **variables):
        """Run `.ci/packages`, with the policy of services in the folder."""
        script = (ROOT / ".ci" / "packages").read_text().replace("/usr/sbin/policy-rc.d", str(self.policy))
        ci = self.folder / "checkout" / ".ci"
        ci.mkdir(parents=True, exist_ok=True)
        (ci / "packages").write_text(script)
        for name in ("python", "packages.txt"):
            shutil.copy(ROOT / ".ci" / name, ci / name)
        self.environment = {"PATH": str(self.bin), "OS_RELEASE": str(self.folder / "os-release"), **variables}
        return subprocess.run(
            [BASH, str(ci / "packages"), target],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self):
        return set((self.folder / "installed").read_text().split())

    def calls(self):
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []


def needed_for_tests():
    return {line for line in (ROOT / ".ci" / "packages.txt").read_text().split("\n") if line and line[0] != "#"}


def test_root_gets_what_the_server_needs_and_is_told_before(tmp_path):
    machine = Machine(tmp_path)
    done = machine.packages("run")
    assert done.returncode == 0, done.stderr
    assert machine.installed() == {"python3-venv", "curl", "libcurl4"}
    assert done.stdout.splitlines()[0].endswith(": python3-venv curl libcurl4")
    assert "setting up libcurl4" in done.stdout
    again = machine.packages("run")
    assert (again.returncode, again.stdout) == (0, "")
    assert len([call for call in machine.calls() if call.startswith("apt-get install")]) == 1


def test_tests_get_their_peers_and_no_service_starts(tmp_path):
    machine = Machine(tmp_path)
    assert machine.packages("test").returncode == 0
    assert machine.installed() == {"python3-venv", "curl", "libcurl4"} | needed_for_tests()
    # 101 forbids it now; disabled, they do not start at the next boot either.
    assert "policy 101" in machine.calls()
    assert "update-rc.d redis-server disable" in machine.calls()
    assert not machine.policy.exists()


def test_services_of_what_was_there_are_left_alone(tmp_path):
    machine = Machine(tmp_path)
    machine.policy.write_text("#!/bin/sh\nexit 104\n")
    (tmp_path / "installed").write_text("redis-server\n")
    assert machine.packages("test").returncode == 0
    assert "policy 104" in machine.calls()
    assert machine.policy.exists()
    disabled = {call.split()[1] for call in machine.calls() if call.startswith("update-rc.d")}
    assert "redis-server" not in disabled
    assert "kamailio" in disabled


def test_who_is_not_root_gets_the_one_line_at_once(tmp_path):
    machine = Machine(tmp_path, uid=1000)
    done = machine.packages("run")
    assert done.returncode == 1
    assert "apt-get update && apt-get install --yes --no-install-recommends python3-venv curl libcurl4\n" in done.stderr
    assert machine.calls() == []
    # For tests the line is the script's own, for it keeps services from starting.
    done = machine.packages("test")
    assert done.returncode == 1
    assert re.search(r"^ +/\S+/\.ci/packages test$", done.stderr, re.MULTILINE)
    assert "sipp" not in done.stderr
    assert "sip-tester" in done.stderr


@pytest.mark.parametrize("may", [True, False])
def test_sudo_is_used_where_it_asks_nothing(tmp_path, may):
    machine = Machine(tmp_path, uid=1000)
    machine.program("sudo", f'[ "$1" != -n ] || shift\necho "sudo $1" >>calls\n{"" if may else "exit 1"}\n"$@"')
    done = machine.packages("run")
    assert done.returncode == (0 if may else 1)
    assert ("sudo apt-get" in machine.calls()) is may
    assert ("Type this line as root" in done.stderr) is not may


@pytest.mark.parametrize(
    ("release", "package"),
    [
        (BOOKWORM, "python3-venv"),
        ('ID=debian\nVERSION_ID="13"\n', "python3-venv"),
        ('ID=ubuntu\nVERSION_ID="22.04"\n', "python3.11-venv"),
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "python3-venv"),
        ('ID=debian\nVERSION_ID="11"\n', None),
    ],
)
def test_each_release_gets_the_python_it_has(tmp_path, release, package):
    machine = Machine(tmp_path, release=release)
    done = machine.packages("run")
    if package is None:
        assert done.returncode == 1
        assert "use Debian 12, Ubuntu 22.04 or later" in done.stderr
        assert machine.calls() == []
    else:
        assert package in machine.installed()


def test_the_interpreter_can_be_chosen_and_must_be_new_enough(tmp_path):
    choice = [str(ROOT / ".ci" / "python")]
    chosen = subprocess.run(choice, env=environment(PYTHON=sys.executable), capture_output=True, text=True, check=True)
    assert chosen.stdout == f"{sys.executable}\n"
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert subprocess.run(choice, env=environment(PYTHON=str(old)), capture_output=True, check=False).returncode == 1
    machine = Machine(tmp_path / "machine")
    done = machine.packages("run", PYTHON=str(old))
    assert done.returncode == 1
    assert "old-python is not Python 3.11" in done.stderr


class Checkout:
    """A checkout whose interpreter writes down how it is called."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("Makefile", "requirements.lock", "requirements-test.lock", "pyproject.toml", "setup.py"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        (folder / ".ci" / "packages").write_text("#!/bin/sh\necho packages $1 >>calls\n")
        (folder / ".ci" / "fetch").touch()
        python = folder / "python"
        python.write_text(
            "#!/bin/sh\n"
            'case "$*" in\n'
            "'-m venv '*) mkdir -p $3/bin; cp $0 $3/bin/python; for name in ruff mypy lint-imports pytest flexiapi;"
            " do printf '#!/bin/sh\\necho %s \"$@\" >>calls\\n' $name >$3/bin/$name; chmod +x $3/bin/$name; done ;;\n"
            ".ci/fetch) echo fetch >>calls ;;\n"
            "*' pip '*) echo \"$*\" >>calls; echo a page of warnings; ! [ -e fails ] ;;\n"
            "esac\n"
        )
        python.chmod(0o755)

    def make(self, *arguments):
        command = ["make", f"PYTHON={self.folder / 'python'}", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment(), capture_output=True, text=True, check=False, timeout=120
        )

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()


def test_both_commands_install_by_hash_what_the_lock_names(tmp_path):
    checkout = Checkout(tmp_path)
    done = checkout.make("run")
    assert done.returncode == 0, done.stderr
    assert "a page of warnings" not in done.stdout + done.stderr
    calls = checkout.calls()
    assert calls[0] == "packages run"
    assert calls[-1] == "flexiapi --config config/development.toml serve"
    pip = [call for call in calls if "pip" in call and "--version" not in call]
    downloads = [call for call in pip if " download " in call]
    assert len(downloads) == 4
    assert all("--require-hashes" in call for call in downloads)
    build, *installs = [call for call in pip if " install " in call]
    assert all("--no-index" in call for call in installs)
    (projects,) = [call for call in installs if "--editable ." in call]
    assert "--no-deps --no-build-isolation" in projects
    (packages,) = [call for call in installs if call != projects]
    assert all("--require-hashes" in call for call in (build, packages))
    assert "--upgrade" not in " ".join(pip)
    # Progress: a line for each step.
    assert len(re.findall(r"^\[\d+ s\] ", done.stdout, re.MULTILINE)) == 4


def test_a_second_time_nothing_is_installed(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.make("test")
    (tmp_path / "calls").unlink()
    assert checkout.make("test").returncode == 0
    names = [call.split()[0] for call in checkout.calls()]
    assert names == ["packages", "fetch", "ruff", "ruff", "mypy", "lint-imports", "pytest"]
    (tmp_path / "calls").unlink()
    assert checkout.make("run").returncode == 0
    assert [call.split()[0] for call in checkout.calls()] == ["packages", "flexiapi"]


def test_make_test_gives_args_to_pytest_as_they_are_quoted_and_to_nothing_else(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.make("test")
    (tmp_path / "calls").unlink()
    binaries = tmp_path / ".venv" / "bin"
    for name in ("ruff", "mypy", "lint-imports", "pytest"):
        (binaries / name).write_text(f'#!/bin/sh\nprintf \'%s\\n\' {name} "$@" "exported: $ARGS" >>calls\n')
    done = checkout.make("test", "ARGS=tests/api -k 'recovery or token'")
    assert done.returncode == 0, done.stderr
    calls = checkout.calls()
    start = calls.index("pytest")
    chosen = ["tests/api", "-k", "recovery or token"]
    assert calls[start:] == ["pytest", "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", *chosen, "exported: "]
    assert not {*chosen} & {*calls[:start]}
    assert [call for call in calls if call.startswith("exported:")] == ["exported: "] * 5


def test_what_pip_says_is_shown_when_it_fails(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.make(".venv/.installed")
    (tmp_path / "fails").touch()
    (tmp_path / ".venv" / ".installed").unlink()
    (tmp_path / ".venv" / "bin" / "python").write_text((tmp_path / "python").read_text())
    done = checkout.make(".venv/.installed")
    assert done.returncode != 0
    assert "a page of warnings" in done.stderr
    assert not (tmp_path / ".venv" / ".installed").exists()


def test_interpreter_and_environment_can_be_chosen(tmp_path):
    checkout = Checkout(tmp_path)
    done = checkout.make("VENV=.venv-other", "run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".venv-other" / ".installed").exists()
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_make_test_and_nothing_else(tmp_path):
    checkout = Checkout(tmp_path)
    (tmp_path / "bin").mkdir()
    make = tmp_path / "bin" / "make"
    make.write_text(f'#!/bin/sh\necho "$(cd "$2" && pwd) $3" >{checkout.folder}/made\n')
    make.chmod(0o755)
    variables = environment(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    subprocess.run([str(tmp_path / ".ci" / "run")], cwd="/", env=variables, check=True)
    assert (tmp_path / "made").read_text() == f"{tmp_path.resolve()} test\n"
    assert not Path(tmp_path / "calls").exists()
