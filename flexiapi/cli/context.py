"""Context of all commands: the settings, loaded on first use, and the services and store built from them."""

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
    """An installation, described by its `--config` file."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises `ConfigurationError`."""
        return load(self.file)

    @asynccontextmanager
    async def parts(self, uri: str) -> AsyncIterator[Parts]:
        """Build and open the services and the store, without HTTP."""
        parts = build(self.settings, uri)
        try:
            await parts.store.prepare()
            async with parts.replication.opened(), parts.replication.settled():
                yield parts
        finally:
            parts.store.close()

    def work(self, call: Callable[[Parts], Awaitable[T]]) -> T:
        """Run a coroutine function on the services and the store; the server may be running or stopped."""

        async def do(uri: str) -> T:
            async with self.parts(uri) as parts:
                return await call(parts)

        with mongod_of(self.settings) as uri:
            return asyncio.run(do(uri))


class Progress:
    """A counter that is shown on terminals only."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, count: int) -> None:
        """Show the count."""
        if sys.stderr.isatty():
            click.echo(f"\r{count} {self._what}", nl=False, err=True)


passed = click.make_pass_decorator(Installation)
