"""The SQLite file that Flexisip reads accounts from with its default SQL, for one writing process. Blocking.

The journal mode is DELETE because read-only readers fail in WAL mode, and the file is changed in place because an open
reader would keep the inode of a replaced file.
"""

import contextlib
import grp
import json
import os
import sqlite3
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from flexiapi.errors import ConfigurationError
from flexiapi.flexisip.credentials import SipCredentials
from flexiapi.flexisip.replica_tables import (
    COLUMNS,
    HOLDERS,
    LISTED,
    REMOVE_BRIDGES_OF,
    REMOVE_OTHERS,
    SCHEMA,
    SELECT,
    Replaced,
    bridge_row,
    columns,
    entries_of,
)

FILE_MODE = 0o640
FOLDER_MODE = 0o750
BUSY_SECONDS = 5.0


def group_id(name: str) -> int:
    """Return the number of a group of this host. Raises `ConfigurationError` if it does not exist."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigurationError(
            f"flexisip.auth_replica_group (FLEXISIP_AUTH_REPLICA_GROUP): this host has no group {name}."
        ) from None


def give_to_owner(path: Path) -> None:
    """Give a file to the owner of its folder if root runs this, so that the server can write it too."""
    owner = path.parent.stat().st_uid
    if os.geteuid() == 0 and owner != path.stat().st_uid:
        os.chown(path, owner, -1)


class ReplicaFile:
    """A connection to the file. Use it from one thread; other processes may write at the same time."""

    def __init__(self, path: Path, group: str | None = None) -> None:
        self.path = path
        self._group = group
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self.openings = 0

    def open(self) -> None:
        """Open the file, create it if necessary, set its permissions, and check its tables.

        Raises `ConfigurationError` if the path cannot be such a file, and `sqlite3.OperationalError` if others write
        for too long.
        """
        try:
            self._create()
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._set_up(connection)
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.DatabaseError) as error:
            if _is_passing(error):
                raise
            raise ConfigurationError(
                f"flexisip.auth_replica (FLEXISIP_AUTH_REPLICA): {self.path} cannot be written: {error}"
            ) from error
        self._connection = connection
        self.openings += 1

    def close(self) -> None:
        """Close the file; a transaction under way is rolled back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ensure_open(self) -> None:
        """Open the file unless it is open, and again if it was replaced, because readers would then see another one."""
        if self._connection is None or not self._is_in_place():
            self.close()
            self.open()

    def begin(self) -> None:
        """Become the only writer of all processes; readers continue. Raises `sqlite3.OperationalError` after 5 s."""
        self.ensure_open()
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Commit what was written since `begin`."""
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Roll back what was written since `begin`."""
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def apply(self, wanted: Mapping[int, SipCredentials | None]) -> list[Replaced]:
        """Write the wanted entries of these account ids; `None` removes an entry.

        Return what was changed. Unchanged entries cost no write.
        """
        former = self.of_ids(list(wanted))
        changed = {id_: entry for id_, entry in wanted.items() if former.get(id_) != entry}
        if not changed:
            return []
        additions = [entry for entry in changed.values() if entry is not None]
        namesakes = self.of_ids([id_ for id_ in self._holders(additions) if id_ not in wanted])
        self._delete([*changed, *namesakes])
        self._insert(additions)
        return [
            *(Replaced(former.get(id_), entry) for id_, entry in changed.items()),
            *(Replaced(entry, None) for entry in namesakes.values()),
        ]

    def of_ids(self, ids: Sequence[int]) -> dict[int, SipCredentials]:
        """Return the entries of these accounts."""
        return entries_of(self._db.execute(SELECT + "id " + LISTED, (json.dumps(ids),)))

    def page(self, after: int, limit: int) -> dict[int, SipCredentials]:
        """Return the entries of the first `limit` ids above `after`, in their order."""
        ids = self._db.execute("SELECT id FROM accounts WHERE id > ? ORDER BY id LIMIT ?", (after, limit)).fetchall()
        return entries_of(
            self._db.execute(SELECT + "id " + LISTED + " ORDER BY here.id", (json.dumps([i for (i,) in ids]),))
        )

    def remove_strays(self) -> None:
        """Remove passwords without account, and accounts that others marked as not activated."""
        self._db.execute("DELETE FROM accounts WHERE activated <> 1")
        self._db.execute("DELETE FROM passwords WHERE account_id NOT IN (SELECT id FROM accounts)")
        self._db.execute(REMOVE_OTHERS)

    def note(self, name: str) -> str | None:
        """Return a note of the server in the file, or `None`."""
        row = self._db.execute("SELECT value FROM flexiapi WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_note(self, name: str, value: str) -> None:
        """Write a note of the server into the file."""
        self._db.execute("INSERT OR REPLACE INTO flexiapi VALUES (?, ?)", (name, value))

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("the replica is not open")
        return self._connection

    def _create(self) -> None:
        group = -1 if self._group is None else group_id(self._group)
        if not self.path.parent.exists():
            self.path.parent.mkdir(parents=True, mode=FOLDER_MODE)
            os.chown(self.path.parent, -1, group)
        with contextlib.suppress(FileExistsError):
            # An existing file is not opened: closing any descriptor of a file releases this process's SQLite locks on
            # it.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
        state = self.path.stat()
        if group not in (-1, state.st_gid):
            os.chown(self.path, -1, group)
        give_to_owner(self.path)
        if stat.S_IMODE(state.st_mode) != FILE_MODE:
            self.path.chmod(FILE_MODE)
        self._inode = (state.st_dev, state.st_ino)

    def _is_in_place(self) -> bool:
        """Return True if the path still refers to the open file."""
        try:
            state = self.path.stat()
        except OSError:
            return False
        return (state.st_dev, state.st_ino) == self._inode

    def _set_up(self, connection: sqlite3.Connection) -> None:
        """Recover from a killed writer, and fail now if the file cannot be written."""
        if connection.execute("PRAGMA journal_mode").fetchone() != ("delete",):
            connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN IMMEDIATE")
        if columns(connection) != COLUMNS:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
        if columns(connection) != COLUMNS:
            raise sqlite3.DatabaseError("it is a database with other tables; name another file, or move this one away")
        connection.execute("COMMIT")

    def _holders(self, entries: Sequence[SipCredentials]) -> list[int]:
        """Return the ids with these names in the file, perhaps of accounts whose own change is not projected yet."""
        names = json.dumps([(entry.username, entry.domain) for entry in entries])
        return [id_ for (id_,) in self._db.execute(HOLDERS, (names,))]

    def _delete(self, ids: Sequence[int]) -> None:
        listed = (json.dumps(ids),)
        self._db.execute(REMOVE_BRIDGES_OF, listed)
        self._db.execute("DELETE FROM passwords WHERE account_id IN (SELECT value FROM json_each(?))", listed)
        self._db.execute("DELETE FROM accounts WHERE id IN (SELECT value FROM json_each(?))", listed)

    def _insert(self, entries: Sequence[SipCredentials]) -> None:
        # Two entries of a batch share a name if it changed hands while the batch was read; the later one is current.
        self._db.executemany(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, 1)",
            [(entry.id, entry.username, entry.domain, entry.phone) for entry in entries],
        )
        self._db.executemany(
            "INSERT INTO passwords VALUES (?, ?, ?)",
            [(entry.id, ha1, algorithm) for entry in entries for algorithm, ha1 in entry.hashes.items()],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO external_accounts VALUES (?, ?, ?, NULL, ?, ?, 'md5', ?, ?, ?, ?, ?)",
            [bridge_row(entry, entry.bridge) for entry in entries if entry.bridge is not None],
        )


def _is_passing(error: Exception) -> bool:
    """Return True if the file is only locked at the moment; the upper bits of the code are details."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
