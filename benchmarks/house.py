"""The parts of a run: mongod, the accounts in it, and the loads on servers."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import data
from benchmarks.cases import BARE_SHOT, Case, Supplies
from benchmarks.configuration import DATABASE
from benchmarks.load import Load, measure
from benchmarks.programs import Program, flexiapi
from flexiapi.store import EmbeddedMongod


@dataclass(frozen=True)
class Options:
    """The choices of a run: seconds of each load, rounds, connections of wrk."""

    seconds: int
    rounds: int
    connections: int


@dataclass(frozen=True)
class House:
    """A mongod with a folder for everything else."""

    uri: str
    pid: int
    folder: Path
    options: Options

    def fill(self, accounts: int, database: str = DATABASE) -> Supplies:
        """Make a database with that many accounts."""
        print(f"making {accounts:,} accounts ...", flush=True)
        with flexiapi(self.uri, self.folder, database):
            pass  # creates the indexes
        data.fill(self.uri, accounts, database)
        return Supplies(self.uri, self.folder, accounts, self.options.seconds)

    def bare(self, server: Program, case: Case) -> Callable[[], Load]:
        """Return the load of a server that answers any request with the same."""
        return partial(measure, server, self.pid, BARE_SHOT, self.options.seconds, self._connections(case))

    def load(self, server: Program, case: Case, supplies: Supplies) -> Callable[[], Load]:
        """Return the load of a case on a server; each call takes new supplies."""
        seconds, connections = self.options.seconds, self._connections(case)
        return lambda: measure(server, self.pid, case.shot(supplies), seconds, connections)

    def _connections(self, case: Case) -> int:
        return case.connections or self.options.connections


@contextlib.contextmanager
def house(options: Options) -> Iterator[House]:
    """Start a mongod in a temporary folder, and remove both at the end."""
    with tempfile.TemporaryDirectory(prefix="flexiapi-bench-") as name:
        folder = Path(name)
        mongod = EmbeddedMongod(folder)
        mongod.start()
        try:
            yield House(mongod.uri, mongod.pid, folder, options)
        finally:
            mongod.stop()
