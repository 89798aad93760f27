"""The report of `flexiapi sip doctor` about a `flexisip.conf`."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import ConfigurationError
from flexiapi.flexisip.conf_doctor import ConfFinding, Examination, Grade, UsedKey, examine
from flexiapi.flexisip.releases import Release
from flexiapi.model import NamedKey
from flexiapi.server.parts import Parts
from flexiapi.settings import Settings

_MAKE_ONE = "`flexiapi api-keys create --scope flexisip` makes one for Flexisip."


def examined(file: Path, settings: Settings, release: Release | None) -> Examination:
    """Examine a file. Raises `ConfigurationError` if it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    return examine(text, settings, release)


async def of_keys(keys: Sequence[UsedKey], parts: Parts) -> list[ConfFinding]:
    """Say what is wrong with the API keys of a file, or remarkable, by what the database knows of them."""
    return [finding for key in keys async for finding in _of_key(key, parts)]


async def _of_key(key: UsedKey, parts: Parts) -> AsyncIterator[ConfFinding]:
    named = await _named(key.value, parts)
    if named is not None:
        missing = ", ".join(sorted(key.scopes - named.opens))
        if named.is_over(datetime.now(UTC)):
            yield ConfFinding(Grade.ERROR, key.line, f"{key.setting}: the time of the key {named.name} is over.")
        if missing:
            text = f"{key.setting}: the key {named.name} has not the scope {missing}, so these calls get 403."
            yield ConfFinding(Grade.ERROR, key.line, text)
        return
    account = await parts.store.accounts.by_api_key(token_hash(key.value))
    if account is None:
        yield ConfFinding(Grade.ERROR, key.line, f"{key.setting}: this server does not know the key. {_MAKE_ONE}")
    elif not (account.is_admin and account.activated) or account.is_blocked:
        text = f"{key.setting}: this is the key of {account.address}, which is not an active administrator. {_MAKE_ONE}"
        yield ConfFinding(Grade.ERROR, key.line, text)
    else:
        text = f"{key.setting}: this is the key of {account.address}, and ends with its next one. {_MAKE_ONE}"
        yield ConfFinding(Grade.WARNING, key.line, text)


async def _named(value: str, parts: Parts) -> NamedKey | None:
    for space in parts.store.spaces:
        found = await parts.store.named_keys.by_hash(token_hash(value, space.stored))
        if found is not None and found.space == space.stored:
            return found
    return None


def report(found: Examination, *, as_json: bool) -> None:
    """Print the calls and the findings, for people or as one JSON object a line."""
    for line in _as_json(found) if as_json else _as_text(found):
        click.echo(line)


def _as_text(found: Examination) -> Iterator[str]:
    yield f"Flexisip {found.release} makes these calls:"
    for call, where in found.calls:
        yield f"{'on ' if where else 'off'} {call.name:20} {where}".rstrip()
    if not found.calls:
        yield "none: 2.3 is the first version with calls"
    for finding in found.findings:
        place = "" if finding.line is None else f"line {finding.line}"
        yield f"{finding.grade.upper():8} {place:10} {finding.text}"
    counts = [(grade, sum(finding.grade is grade for finding in found.findings)) for grade in Grade]
    yield ", ".join(f"{count} {grade}{'' if count == 1 else 's'}" for grade, count in counts) + "."


def _as_json(found: Examination) -> Iterator[str]:
    for call, where in found.calls:
        yield json.dumps({"call": call.name, "release": str(found.release), "url": where or None})
    for finding in found.findings:
        yield json.dumps({"grade": finding.grade, "line": finding.line, "text": finding.text})
