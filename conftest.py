"""Adapter for pytest-tornado, which uses functions of `pkg_resources` that no longer exist and an old Tornado API."""

import asyncio
import os
import sys
import types

import packaging.version
import pytest
from tornado.ioloop import IOLoop

sys.modules.setdefault(
    "pkg_resources",
    types.SimpleNamespace(parse_version=packaging.version.parse, fixup_namespace_packages=lambda _: None),
)

# The default of 5 seconds for a `gen_test` is too short for a busy machine.
os.environ.setdefault("ASYNC_TEST_TIMEOUT", "60")

pytest_plugins = ["pytest_tornado.plugin"]


@pytest.fixture
def io_loop():
    """The loop of a `gen_test`."""
    loop = IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close(all_fds=True)
