"""The replica set of one node that the embedded mongod forms: change streams need one."""

from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

NAME = "flexiapi"
_REMOVED, _NOT_YET_INITIALIZED, _INVALID_CONFIG = 10, 94, 93


def is_primary(client: MongoClient[dict[str, Any]], socket: Path, *, may_configure: bool) -> bool:
    """Return whether the mongod takes writes. Form the replica set first if it is missing and this is allowed."""
    try:
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            return True
        if may_configure and "setName" not in hello:
            _configure(client, socket)
    except (PyMongoError, OSError):
        return False
    return False


def _configure(client: MongoClient[dict[str, Any]], socket: Path) -> None:
    """Form the replica set, or give its node the new address if the data folder was moved."""
    config: dict[str, Any] = {"_id": NAME, "version": 1, "members": [{"_id": 0, "host": str(socket)}]}
    try:
        status = client.admin.command("replSetGetStatus")
        was_moved = status.get("myState") == _REMOVED
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", config)
            return
        was_moved = error.code == _INVALID_CONFIG
    if was_moved:
        current = client.local["system.replset"].find_one() or config
        config["version"] = int(current["version"]) + 1
        client.admin.command("replSetReconfig", config, force=True)
