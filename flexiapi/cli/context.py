"""What every command has at hand: the settings, read when they are first asked for, and the parts behind them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import click

from flexiapi.server.assembly import Parts, build, mongod_of
from flexiapi.settings import Settings
from flexiapi.settings.loading import load

T = TypeVar("T")


class Installation:
    """The `--config` file and what follows from it."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises `ConfigurationError`."""
        return load(self.file)

    @asynccontextmanager
    async def parts(self, uri: str) -> AsyncIterator[Parts]:
        """The services and the store, without HTTP."""
        parts = build(self.settings, uri)
        try:
            await parts.store.prepare()
            async with parts.replication.opened(), parts.replication.settled():
                yield parts
        finally:
            parts.store.close()

    def work(self, call: Callable[[Parts], Awaitable[T]]) -> T:
        """Do something with the store, whether the server runs or not."""

        async def do(uri: str) -> T:
            async with self.parts(uri) as parts:
                return await call(parts)

        with mongod_of(self.settings) as uri:
            return asyncio.run(do(uri))


class Progress:
    """Counts on a terminal, and keeps quiet elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, count: int) -> None:
        """Show how many it are by now."""
        if sys.stderr.isatty():
            click.echo(f"\r{count} {self._what}", nl=False, err=True)


passed = click.make_pass_decorator(Installation)
