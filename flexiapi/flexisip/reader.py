"""Flexisip's user: the folders it may search and the files it may read, by their modes."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from flexiapi.errors import ConfigurationError

USUAL_NAME = "flexisip"


@dataclass(frozen=True, slots=True)
class Reader:
    """A user of this host; `number` is `None` for some user who is only known by a group."""

    name: str
    number: int | None
    groups: frozenset[int]

    def may(self, path: Path, others: int) -> bool:
        """Tell whether the mode of a path gives this user what it gives others by the bit `others` (stat.S_I?OTH)."""
        if self.number == 0:
            return True
        state = path.stat()
        if self.number == state.st_uid:
            return bool(state.st_mode & (others << 6))
        if state.st_gid in self.groups:
            return bool(state.st_mode & (others << 3))
        return bool(state.st_mode & others)


def reader_of(user: str | None, group: str | None) -> Reader | None:
    """Return Flexisip's user: the named one, the user flexisip, or some member of the group; `None` if none is known.

    Raises `ConfigurationError` if this host does not have the named user.
    """
    for name in (user, USUAL_NAME):
        try:
            if name is not None:
                entry = pwd.getpwnam(name)
                groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
                return Reader(f"the user {entry.pw_name}", entry.pw_uid, frozenset(groups))
        except KeyError:
            if name == user:
                raise ConfigurationError(f"This host has no user {user}. Name the one that Flexisip runs as.") from None
    try:
        return None if group is None else Reader(f"the group {group}", None, frozenset({grp.getgrnam(group).gr_gid}))
    except KeyError:
        return None


def described(path: Path) -> str:
    """Return mode, owner and group of a path, as `0750 flexiapi:flexiapi`."""
    state = path.stat()
    return f"{stat.S_IMODE(state.st_mode):04o} {_name_of_user(state.st_uid)}:{group_name(state.st_gid)}"


def _name_of_user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """Return the name of a group, or its number in figures if this host has no name for it."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
