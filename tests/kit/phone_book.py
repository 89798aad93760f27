"""The list of contacts of an app: the real liblinphone, with its database of friends, which linphone-daemon has not.

Run as a program (`python phone_book.py FOLDER ANSWER`) it is the app, which ends once it has received an answer with
that text.
"""

import contextlib
import ctypes
import ctypes.util
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

_CONFIGURATION = """
[misc]
contacts-vcard-list={url}/contacts/vcard
[sip]
default_proxy=0
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
[net]
stun_server=
[proxy_0]
reg_identity=sip:{person.sip}
reg_proxy=<sip:127.0.0.1>
reg_sendregister=0
[auth_info_0]
username={person.account.username}
passwd={person.password}
domain={person.account.domain}
"""


_LEVEL_MESSAGE = 4
_SECONDS = 60


class PhoneBook:
    """An app that is started anew each time, with the database that it had before."""

    def __init__(self, folder, server, person):
        self._folder = folder
        # As linphone-daemon 5.1, it does not make this folder.
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)
        (folder / "rc").write_text(_CONFIGURATION.format(url=server.url, person=person))

    def kept_after(self, answer: str) -> list[str]:
        """Start the app until it has received an answer with this text, and return the addresses that it keeps."""
        argv = [sys.executable, __file__, str(self._folder), answer]
        environment = {"HOME": str(self._folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr + (self._folder / "log").read_text(errors="replace")[-8000:]
        with contextlib.closing(sqlite3.connect(self._folder / "friends.db")) as friends:
            return [address for (address,) in friends.execute("SELECT sip_uri FROM friends")]


class _Core:
    """A core of the installed liblinphone, as far as it is needed here: all arguments are pointers."""

    def __init__(self, rc: Path, database: Path) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("linphone"))
        self._call("linphone_logging_service_set_log_level", self._call("linphone_logging_service_get"), _LEVEL_MESSAGE)
        factory = self._call("linphone_factory_get")
        self._core = self._call("linphone_factory_create_core_3", factory, str(rc).encode(), None, None)
        self._call("linphone_core_set_friends_database_path", self._core, str(database).encode())
        self._call("linphone_core_start", self._core)

    def _call(self, name, *arguments):
        function = getattr(self._library, name)
        function.restype = ctypes.c_void_p
        return function(*(ctypes.c_void_p(one) if isinstance(one, int) else one for one in arguments))

    def iterate(self) -> None:
        self._call("linphone_core_iterate", self._core)

    def stop(self) -> None:
        self._call("linphone_core_stop", self._core)


def main(folder: Path, answer: str) -> None:
    log = folder / "log"
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)  # where liblinphone logs what it receives
    core = _Core(folder / "rc", folder / "friends.db")
    until = time.monotonic() + _SECONDS
    while answer not in log.read_text(errors="replace"):
        assert time.monotonic() < until, f"no answer had {answer}"
        core.iterate()
        time.sleep(0.02)
    core.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
