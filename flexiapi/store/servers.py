"""The running server processes, each with a heartbeat."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flexiapi.store import driver
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

SEEN = timedelta(minutes=2)
"""Age of the last heartbeat up to which a server counts as running."""


@dataclass(frozen=True, slots=True)
class ServerProcessRecord:
    """A server process: its release, the layout that it writes, and the last step of the layout that it knows."""

    id: str
    host: str
    pid: int
    release: str
    writes: int
    knows: int
    age: timedelta = timedelta()

    def __str__(self) -> str:
        """Return the name for operators."""
        return f"process {self.pid} on {self.host} (flexiapi {self.release})"


class ServerRecords(Records, bounds=False):
    """The heartbeats. Their times are the database's, so that the clocks of hosts may differ."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._servers = database["servers"]

    async def beat(self, server: ServerProcessRecord) -> None:
        """Note that the process runs."""
        fields = {name: {"$literal": getattr(server, name)} for name in ("host", "pid", "release", "writes", "knows")}
        change = [{"$set": {**fields, "seen_at": "$$NOW"}}]
        await self._servers.update_one({"_id": server.id}, change, upsert=True)

    async def leave(self, server_id: str) -> None:
        """Remove a process that stops."""
        await self._servers.delete_one({"_id": server_id})

    async def leave_all(self) -> None:
        """Remove all processes: the caller knows that none runs."""
        await self._servers.delete_many({})

    async def seen(self, within: timedelta | None = None) -> list[ServerProcessRecord]:
        """Return the processes whose last heartbeat is at most that old; default is `SEEN`."""
        most = int((SEEN if within is None else within).total_seconds() * 1000)
        pipeline: list[dict[str, Any]] = [
            {"$set": {"age": {"$subtract": ["$$NOW", "$seen_at"]}}},
            {"$match": {"age": {"$lte": most}}},
            {"$sort": {"host": 1, "pid": 1}},
        ]
        found = await driver.aggregated(self._servers, pipeline)
        return [
            ServerProcessRecord(
                one["_id"],
                one["host"],
                one["pid"],
                one["release"],
                one["writes"],
                one["knows"],
                timedelta(milliseconds=one["age"]),
            )
            for one in found
        ]
