"""Distributions with backends, each installed for one test."""

import importlib
import sys
import textwrap

import pytest
import stamina

from flexiapi.notify.discovery import declared_providers

MODULE = '''
import asyncio

from flexiapi.plugin import *
from pydantic import Field, SecretStr


class Config(BackendConfig):
    url: str = Field("http://localhost", description="where messages go")
    token: SecretStr | None = Field(None, description="secret of the gateway")
    size: int = Field(1, ge=1, description="how many")
    file: DataPath = Field("default.txt", description="a file")


class Scripted:
    """Does what the test puts in `script`, one item per send: an exception, a receipt, seconds to wait, or None."""

    Config = Config
    script, sent, closed, problem, start_problem = [], [], [], None, None

    async def start(self):
        if self.start_problem:
            raise self.start_problem

    async def send(self, message):
        type(self).sent.append(message)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Receipt):
            return step
        if step:
            await asyncio.sleep(step)
        return Receipt(str(len(self.sent)))

    async def check(self):
        if self.problem:
            raise self.problem

    async def close(self):
        self.closed.append(self)


class Sms(Scripted, SmsBackend[Config]):
    script, sent, closed = [], [], []


class Other(Scripted, SmsBackend[Config]):
    script, sent, closed = [], [], []


class Push(Scripted, PushBackend[Config]):
    script, sent, closed = [], [], []
    providers = frozenset({"fcm"})


class Mail(Scripted, MailBackend[Config]):
    script, sent, closed = [], [], []
'''


@pytest.fixture
def no_waits():
    """Tries follow each other at once, so that deadlines can be long enough for any machine."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution: `install(name, module, entry points text)`."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    modules = []

    def install(name, module, entry_points, source=MODULE):
        (site / f"{module}.py").write_text(source)
        modules.append(module)
        info = site / f"{name.replace('-', '_')}-2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
        (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
        importlib.invalidate_caches()
        declared_providers.cache_clear()

    yield install
    declared_providers.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def scripted(install):
    """The backends `scripted` (each transport) and `other` (SMS): the module with their classes."""
    entry_points = """
        [flexiapi.sms]
        scripted = scripted_backends:Sms
        other = scripted_backends:Other

        [flexiapi.push]
        scripted = scripted_backends:Push

        [flexiapi.mail]
        scripted = scripted_backends:Mail
    """
    install("flexiapi-scripted", "scripted_backends", entry_points)
    return importlib.import_module("scripted_backends")
