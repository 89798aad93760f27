"""Context of all commands: the settings, loaded on first use, and the services and store built from them."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import click

from flexiapi.errors import ConfigurationError
from flexiapi.model import Actor
from flexiapi.server.assembly import build
from flexiapi.server.database import mongod_of
from flexiapi.server.parts import Parts
from flexiapi.settings import Settings
from flexiapi.settings.loading import load

T = TypeVar("T")


class Installation:
    """An installation, described by its `--config` file."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises `ConfigurationError`."""
        return load(self.file)

    def work(self, call: Callable[[Parts], Awaitable[T]]) -> T:
        """Call with the parts, whether the server runs or not. For what changes nothing that has an actor."""

        async def do(parts: Parts) -> T:
            async with parts.replication.opened():
                return await call(parts)

        return self._run(do)

    def change(self, call: Callable[[Parts, Actor], Awaitable[T]]) -> T:
        """Call with the parts and the command's actor. Its changes are in the sign-in replica at the end."""
        actor = Actor.cli()

        async def do(parts: Parts) -> T:
            async with parts.replication.opened(), parts.replication.settling(actor):
                return await call(parts, actor)

        return self._run(do)

    def on_any_tables(self, call: Callable[[Parts], Awaitable[T]]) -> T:
        """Call with the parts, also if the database was written for other tables of domains than the settings have."""
        return self._run(call, refuse_other_tables=False)

    def _run(self, call: Callable[[Parts], Awaitable[T]], *, refuse_other_tables: bool = True) -> T:
        async def run(uri: str) -> T:
            parts = build(self.settings, uri)
            try:
                await parts.store.prepare()
                await parts.store.migrations.ensure_usable(holder())
                if refuse_other_tables:
                    await _refuse_other_tables(parts)
                async with parts.moving.running():
                    return await call(parts)
            finally:
                await parts.store.close()

        with mongod_of(self.settings) as uri:
            return asyncio.run(run(uri))


async def _refuse_other_tables(parts: Parts) -> None:
    differences = await parts.store.space_tables.differences()
    if differences:
        raise ConfigurationError(
            f"{' '.join(differences)} `flexiapi spaces apply` changes the database to these tables."
        )


def holder() -> str:
    """Return the name of this command in leases, for operators."""
    return f"the command of process {os.getpid()} on {socket.gethostname()} ({secrets.token_hex(4)})"


class Progress:
    """A counter that is shown on terminals only."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, count: int) -> None:
        """Show the count."""
        if sys.stderr.isatty():
            click.echo(f"\r{count} {self._what}", nl=False, err=True)


passed = click.make_pass_decorator(Installation)
