"""The parts of a server, put together: settings, store, backends, services, application."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TextIO

from flexiapi import services
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.events import AccountFeeds, History, Moving, Numbering
from flexiapi.flexisip.configured import message_sender_of, registrar_of
from flexiapi.flexisip.replication import Replication
from flexiapi.notify import Notifier
from flexiapi.rendering.countries import Countries
from flexiapi.rendering.renderer import Renderer
from flexiapi.server.application_key import application_key
from flexiapi.server.context import ServiceContext
from flexiapi.server.health import Health
from flexiapi.server.parts import Parts
from flexiapi.server.readiness import Readiness
from flexiapi.server.routes import PAGES_OF_BROWSERS, endpoints_of
from flexiapi.server.voicemail_work import VoicemailWork
from flexiapi.server.work import Work
from flexiapi.services.clock import Clock
from flexiapi.services.ground import Ground
from flexiapi.settings import Settings
from flexiapi.store import Store
from flexiapi.web.handler import Api
from flexiapi.web.throttle import Throttle


def build(settings: Settings, uri: str, clock: Clock | None = None, key: ApplicationKey | None = None) -> Parts:
    """Put the parts together for the running event loop, without opening a connection. Raises `ConfigurationError`."""
    key = key or application_key(settings)
    registrar, sender = registrar_of(settings), message_sender_of(settings)
    store = Store(settings, key, uri)
    notifier = Notifier(settings)
    countries = Countries(settings.panel.country_database)
    renderer = Renderer(settings.templates, settings.app.name, settings.mail.signature, countries)
    numbering = Numbering(store, settings.events.days)
    feeds = AccountFeeds(store.journal.events, store.changes, store.old_servers_may_run)
    ground = Ground.build(settings, key, store, notifier, renderer, clock or Clock())
    made = services.build(ground, registrar, sender)
    return Parts(
        settings=settings,
        store=store,
        notifier=notifier,
        renderer=renderer,
        services=made,
        moving=Moving(store.journal.pending),
        numbering=numbering,
        history=History(store.journal.events, numbering),
        replication=Replication(settings, store.accounts, feeds, store.spaces.realm_of),
        registrar=registrar,
        sender=sender,
        voicemail_work=VoicemailWork(store, made),
    )


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of a running server.

    `drain` waits until no request is under way. `work` ends before the block only if the server cannot do its work.
    """

    application: Api
    parts: Parts
    readiness: Readiness
    drain: Callable[[], Awaitable[None]]
    work: "asyncio.Task[None]"


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    uri: str,
    *,
    throttle: Throttle | None = None,
    clock: Clock | None = None,
    log_stream: TextIO | None = None,
    prepare: bool = True,
    alone: bool = False,
) -> AsyncIterator[Running]:
    """Run the application and all its parts until the end of the block. Raises `ConfigurationError`.

    With `alone` no other server uses the database. While that is away, the process answers health checks only.
    """
    parts = build(settings, uri, clock)
    throttle = throttle or Throttle(settings.limits.requests_per_minute)
    readiness = Readiness()
    health, stream = Health(readiness, parts.store.ping), log_stream or sys.stderr
    context = ServiceContext(parts.services, parts.renderer, parts.replication, throttle, health, stream)
    async with parts.closing():
        await parts.notifier.start()
        application = Api(context, endpoints_of(settings), PAGES_OF_BROWSERS)
        try:
            async with Work(parts, readiness, prepares=prepare, alone=alone).done() as work:
                yield Running(application, parts, readiness, context.drain, work)
        finally:
            context.flush()
