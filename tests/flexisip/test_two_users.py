"""The documented places of the replica and of the userdb file, for the server's user and Flexisip's user."""

import asyncio
import configparser
import grp
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flexiapi.flexisip import doctor
from flexiapi.settings import Settings
from tests.kit.checkout import ROOT

GUIDE = (ROOT / "docs" / "flexisip.md").read_text()
UNITS = ROOT / "config" / "systemd"
# Users that every Debian has.
SERVER, FLEXISIP = pwd.getpwnam("games"), pwd.getpwnam("www-data")
GROUP = grp.getgrgid(FLEXISIP.pw_gid).gr_name
WRITE = """
import asyncio, encodings.ascii, os, sys  # as another user the interpreter may be out of reach
from pathlib import Path
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.flexisip import userdb
from tests.kit.sign_in_replica import Accounts, account
place, group, user, server_group, flexisip_group = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
os.umask(0o027)
os.setgroups([flexisip_group])
os.setgid(server_group)
os.setuid(user)
async def write():
    replica = SignInReplica(place / "auth.sqlite", Accounts(account(1, "alice")), group=group)
    await replica.start()
    await replica.rebuild()
    await replica.close()
    async def accounts():
        yield account(1, "alice")
    await userdb.export(accounts(), place / "users.db.txt", realm_of=lambda domain: domain, md5=True, group=group)
asyncio.run(write())
"""
READ = """
import os, sqlite3, sys
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[2]))
file = sqlite3.connect(f"file:{sys.argv[1]}/auth.sqlite?mode=ro", uri=True)
print(file.execute("SELECT username FROM accounts").fetchall())
print(open(f"{sys.argv[1]}/users.db.txt").read())
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


@pytest.fixture
def host():
    """A folder like / that both users can enter, with the folder that systemd makes for the server."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        root = Path(name)
        root.chmod(0o755)
        state = root / "var" / "lib" / "flexiapi"
        state.mkdir(parents=True)
        os.chown(state, SERVER.pw_uid, SERVER.pw_gid)
        state.chmod(int(unit("flexiapi.service")["Service"]["statedirectorymode"], 8))
        yield root


def unit(name):
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string((UNITS / name).read_text())
    return parser


def documented(host):
    """Make the folder as the guide says, with these two users in place of those."""
    command = shlex.split(re.search(r"^    (install -d -o flexiapi -g flexisip .*)$", GUIDE, re.MULTILINE)[1])
    place = host / command[-1].lstrip("/")
    names = {"flexiapi": SERVER.pw_name, "flexisip": GROUP}
    subprocess.run([*(names.get(word, word) for word in command[:-1]), str(place)], check=True)
    return place


def written(place):
    numbers = map(str, (SERVER.pw_uid, SERVER.pw_gid, FLEXISIP.pw_gid))
    command = [sys.executable, "-c", WRITE, str(place), GROUP, *numbers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def read(place):
    command = [sys.executable, "-c", READ, str(place), str(FLEXISIP.pw_uid), str(FLEXISIP.pw_gid)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def looked_at(place, user=None):
    """The findings of the doctor about the replica's path for a user."""

    async def look():
        section = {"auth_replica": str(place / "auth.sqlite"), "auth_replica_group": GROUP}
        return {finding.link: finding async for finding in doctor.findings(Settings(flexisip=section), user)}

    links = asyncio.run(look())
    return links["replica path"]


def test_flexisip_reads_the_replica_and_the_userdb_file_where_the_guide_puts_them(host):
    place = documented(host)
    written(place)
    done = read(place)
    assert done.returncode == 0, done.stderr
    assert "alice" in done.stdout.splitlines()[0]
    assert "alice@" in done.stdout
    for user in (None, FLEXISIP.pw_name):
        found = looked_at(place, user)
        assert found.is_right
        assert found.text.endswith(f" may read {place / 'auth.sqlite'}")


def test_doctor_finds_the_folder_above_that_flexisip_may_not_enter(host):
    above = host / "var" / "lib" / "flexiapi"
    place = above / "sip"
    place.mkdir()
    os.chown(place, SERVER.pw_uid, FLEXISIP.pw_gid)
    place.chmod(0o750)
    written(place)
    assert read(place).returncode != 0
    found = looked_at(place, FLEXISIP.pw_name)
    assert not found.is_right
    assert found.text == f"the user {FLEXISIP.pw_name} may not search {above}: 0750 games:games"
    assert "/var/lib/flexiapi-sip" in found.advice
    # The server's own user gets there.
    assert looked_at(place, SERVER.pw_name).is_right


def test_doctor_finds_a_file_that_flexisip_may_not_read(host):
    place = documented(host)
    written(place)
    os.chown(place / "auth.sqlite", SERVER.pw_uid, SERVER.pw_gid)
    found = looked_at(place, FLEXISIP.pw_name)
    assert not found.is_right
    assert found.text == f"the user {FLEXISIP.pw_name} may not read {place / 'auth.sqlite'}: 0640 games:games"


def test_units_guide_and_settings_name_one_place():
    place = re.search(r"^    install -d -o flexiapi -g flexisip -m 0750 (\S+)$", GUIDE, re.MULTILINE)[1]
    assert f'auth_replica = "{place}/auth.sqlite"' in GUIDE
    for name in ("flexiapi.service", "flexiapi-clean.service", "flexiapi-userdb.service"):
        assert f"-{place}" in unit(name)["Service"]["readwritepaths"].split()
    export = unit("flexiapi-userdb.service")["Service"]["execstart"].split()
    assert export[-3:] == ["sip", "export-userdb", f"{place}/users.db.txt"]
    assert f"flexiapi sip export-userdb {export[-1]}\n" in GUIDE
    assert f"file-path={export[-1]}\n" in GUIDE
    assert unit("flexiapi-userdb.timer")["Timer"]["onunitinactivesec"] == "1min"


def confinement(name):
    """The settings of a unit from the comment on its confinement on."""
    _, _, rest = (UNITS / name).read_text().partition("\n# Confinement")
    lines = rest.partition("\n\n")[0].splitlines()[1:]
    return [line for line in lines if line and not line.startswith("#")]


def test_the_command_that_clears_is_confined_as_the_server_whose_files_it_writes():
    assert "ProtectSystem=strict" in confinement("flexiapi.service")
    assert confinement("flexiapi-clean.service") == confinement("flexiapi.service")


def test_the_units_are_valid():
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    for file in sorted(UNITS.iterdir()):
        done = subprocess.run([program, "verify", str(file)], capture_output=True, text=True, check=False)
        wrong = [line for line in done.stderr.splitlines() if file.name in line and "is not executable" not in line]
        assert wrong == []
