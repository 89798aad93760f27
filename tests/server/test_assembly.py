"""Release of all resources when a server stops."""

import asyncio

import pytest
from pymongo.errors import InvalidOperation

from flexiapi.notify import Notifier
from flexiapi.server.assembly import running
from tests.kit.server import settings_of


class CloseFailed(Exception):
    pass


def test_what_fails_to_close_keeps_nothing_else_open(mongod_uri, tmp_path, monkeypatch):
    async def fail(_notifier):
        raise CloseFailed

    monkeypatch.setattr(Notifier, "close", fail)

    async def check():
        with pytest.raises(CloseFailed):
            async with running(settings_of({}, tmp_path), mongod_uri, prepare=False) as inside:
                pass
        with pytest.raises(InvalidOperation):
            await inside.parts.store.ping()

    asyncio.run(check())
