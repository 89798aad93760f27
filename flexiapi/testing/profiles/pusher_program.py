"""The program flexisip_pusher, which other backends than those of HTTP run."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Self

from flexiapi.testing.replies import RESET, Reply, reply

_FOR_EVER = 600
_SCRIPT = Path(__file__).with_name("pusher_script.py")


class PusherProgram:
    """An executable in a folder that takes the arguments of flexisip_pusher, and ends, prints and logs as it does.

    It is used like a gateway whose answers are those of Apple or Firebase to the program: 200 makes it end with status
    0, any other with 1, `RESET` stands for a provider that it does not reach, and `SILENCE` for one that never answers.
    `dead` has the addresses that the provider calls gone, `apps` the `pn_param` that it has a certificate for (`None`
    for all), and `delivered` counts by address. `end_with` makes it end at once with a status.
    """

    default: ClassVar[Reply] = reply(200)
    connections: ClassVar[int] = 0
    """Those of the backend, which has none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: dict[str, Any] = {"dead": [], "apps": None, "status": None, "silent_until": 0.0}
        self.program = folder / "flexisip_pusher"
        self.program.write_text(f"#!{sys.executable} -S\n{_SCRIPT.read_text()}")
        self.program.chmod(0o755)
        self.key = folder / "firebase.json"
        self.key.write_text("{}")
        self.answer(self.default)

    def answer(self, answer: Reply) -> None:
        """Let the provider answer so from now on."""
        delay = _FOR_EVER if answer.fault == "silence" else answer.delay
        reached = answer.fault != RESET.fault
        self._become(answer=[answer.status, answer.body.decode(), delay, reached], status=None)

    def end_with(self, status: int) -> None:
        """End with this status, whatever is asked."""
        self._become(status=status)

    def stall(self, seconds: float) -> None:
        """Let the provider be silent for so many seconds from now."""
        self._become(silent_until=time.time() + seconds)

    @property
    def dead(self) -> Collection[str]:
        """The addresses that are no longer registered; assign a new collection to change it."""
        return frozenset(self._state["dead"])

    @dead.setter
    def dead(self, addresses: Collection[str]) -> None:
        self._become(dead=sorted(addresses))

    @property
    def apps(self) -> Collection[str] | None:
        """The apps that the program can sign in for; assign to change it."""
        apps: list[str] | None = self._state["apps"]
        return apps

    @apps.setter
    def apps(self, params: Collection[str] | None) -> None:
        self._become(apps=None if params is None else sorted(params))

    def _become(self, **state: object) -> None:
        self._state.update(state)
        part = self._folder / "state.part"
        part.write_text(json.dumps(self._state))
        part.rename(self._folder / "state")

    @property
    def sends(self) -> list[dict[str, Any]]:
        """The runs of the program, oldest first: `argv`, `environ`, `pid`."""
        return sorted(self._read("run-*"), key=lambda run: run["began"])

    @property
    def delivered(self) -> Counter[str]:
        """The number of notifications that each address got; neither provider recognises repeats."""
        return Counter(run["prid"] for run in self._read("sent-*"))

    def _read(self, pattern: str) -> list[dict[str, Any]]:
        found = [path for path in self._folder.glob(pattern) if path.suffix != ".part"]
        return [json.loads(path.read_text()) for path in found]

    async def received(self, count: int = 1) -> None:
        """Wait for this many runs."""
        while len(self.sends) < count:  # noqa: ASYNC110 - it is another process that runs
            await asyncio.sleep(0.01)

    def start(self) -> None:
        """End an outage."""
        self.answer(self.default)

    def stop(self) -> None:
        """Let the provider be out of reach."""
        self.answer(RESET)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the files: the folder is the test's."""
