"""All parts behind the endpoints."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from flexiapi.events import History, Moving, Numbering
from flexiapi.flexisip.message_sender import MessageSender
from flexiapi.flexisip.registrar import Registrar
from flexiapi.flexisip.replication import Replication
from flexiapi.notify import Notifier
from flexiapi.rendering.renderer import Renderer
from flexiapi.server.voicemail_work import VoicemailWork
from flexiapi.services import Services
from flexiapi.settings import Settings
from flexiapi.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts behind the endpoints."""

    settings: Settings
    store: Store
    notifier: Notifier
    renderer: Renderer
    services: Services
    moving: Moving
    numbering: Numbering
    history: History
    replication: Replication
    registrar: Registrar | None
    sender: MessageSender | None
    voicemail_work: VoicemailWork

    @contextlib.asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """Close every connection at the end of the block, also if closing another one fails."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.store.close)
            stack.push_async_callback(self.store.sip_sign_ins.close)
            for part in (self.registrar, self.sender):
                if part is not None:
                    stack.push_async_callback(part.close)
            stack.push_async_callback(self.notifier.close)
            stack.push_async_callback(self.services.codes.web_recovery.finished)
            yield
