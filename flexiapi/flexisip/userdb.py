"""Export of the accounts as the text file that Flexisip reads with `db-implementation=file`."""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from flexiapi.flexisip.credentials import Realms, SipCredentials, domain_itself, entry_of
from flexiapi.flexisip.replica_file import FILE_MODE, group_id
from flexiapi.model import Account

_HEADER = "version:1\n\n"
_NAMES = {"MD5": "md5", "SHA-256": "sha256"}

# Flexisip's alphabet also has `%`, which starts an escape that its versions read differently.
_WORD = r"[A-Za-z0-9\-.!*_+`'~:]+"
_SECRET = r"(?:md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})"  # noqa: S105  # a grammar, not a secret
_LINE = re.compile(rf"{_WORD}@{_WORD}(?: {_SECRET})+ ;(?: {_WORD}(?: {_WORD})?)?\n")
_NAME = re.compile(_WORD)


@dataclass(slots=True)
class Report:
    """The result of an export: the number of accounts written, and those left out as (address, reason)."""

    written: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


def line(entry: SipCredentials) -> str:
    """Return the entry's line, with its line end.

    Raises `ValueError` with the reason if the format cannot express it.
    """
    for name, what in ((entry.username, "username"), (entry.domain, "domain")):
        if not _NAME.fullmatch(name):
            raise ValueError(f"the {what} has characters that the file cannot carry")
    words = [f"{_NAMES[name]}:{ha1}" for name, ha1 in sorted(entry.hashes.items())]
    if not words:
        raise ValueError("the account has no password that it could sign in with")
    # The phone number follows a user id; it serves the presence server, not the sign-in.
    phone = [entry.username, entry.phone] if entry.phone and _NAME.fullmatch(entry.phone) else []
    made = " ".join([entry.address, *words, ";", *phone]) + "\n"
    if not _LINE.fullmatch(made):
        raise ValueError("a stored password is not a hash")
    return made


async def export(
    accounts: AsyncIterable[Account],
    path: Path,
    *,
    realm_of: Realms = domain_itself,
    md5: bool = True,
    group: str | None = None,
) -> Report:
    """Write all activated accounts to `path` atomically: a reader sees either the former file or the new one.

    The realm is by default each account's domain; without `md5` no MD5 hash is written. The file is readable by its
    owner and `group`. Raises `OSError`, and leaves the former file, if the new one cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    report = Report()
    try:
        with _created(temporary, group) as file:
            file.write(_HEADER)
            async for account in accounts:
                entry = entry_of(account, realm_of(account.domain), md5=md5)
                if entry is not None:
                    _write(file, entry, report)
            await asyncio.to_thread(_sync, file)
        temporary.replace(path)
        await asyncio.to_thread(_sync_folder, path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return report


def _write(file: IO[str], entry: SipCredentials, report: Report) -> None:
    try:
        file.write(line(entry))
    except ValueError as error:
        report.left_out.append((entry.address, str(error)))
    else:
        report.written += 1


def _created(path: Path, group: str | None) -> IO[str]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    if group is not None:
        os.fchown(descriptor, -1, group_id(group))
    os.fchmod(descriptor, FILE_MODE)
    return os.fdopen(descriptor, "w", encoding="ascii", newline="\n")


def _sync(file: IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
