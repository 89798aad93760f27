"""The use of a backend through a gateway, which the tests of the contract share."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeVar

from flexiapi.plugin import (
    ANY_PROVIDER,
    Backend,
    MailMessage,
    PushBackend,
    PushMessage,
    Receipt,
    SmsMessage,
)
from flexiapi.testing.backends import running_backend
from flexiapi.testing.declaration import BackendDeclaration
from flexiapi.testing.replies import Reply

T = TypeVar("T")

SHORTEST_PRIVATE_TEXT = 6


class BackendSending(BackendDeclaration):
    """Sending through a gateway; `accepted` is its answer wherever a test says nothing else."""

    accepted: ClassVar[Reply | None] = None

    def message(self) -> Any:
        """Return the message to send; override it when the backend needs another."""
        if self.group == "flexiapi.sms":
            return SmsMessage("+33612345678", "Votre code reçu : 471100")
        if self.group == "flexiapi.mail":
            return MailMessage("alice@example.org", "Bienvenue à tous", "Votre code : 471100", "<p>471100</p>")
        backend = self.backend_class()
        assert issubclass(backend, PushBackend)
        provider = min(backend.providers - {ANY_PROVIDER}, default="example")
        return PushMessage(provider, "929724111839", "dA1b:APA91b", {"token": "8tuVPT471100"})

    @asynccontextmanager
    async def running(self, gateway: Any) -> AsyncIterator[Backend[Any, Any]]:
        """The backend, started and in the end closed."""
        async with running_backend(self.backend_class()(self.config(gateway))) as backend:
            yield backend

    def run(self, use: Coroutine[Any, Any, T]) -> T:
        """Run on an event loop of its own."""
        return asyncio.run(use)

    def send(self, gateway: Any) -> Receipt:
        """Start the backend, send one message, close it."""

        async def whole() -> Receipt:
            async with self.running(gateway) as backend:
                return await backend.send(self.message())

        return self.run(whole())

    def _private(self) -> list[str]:
        message = dataclasses.asdict(self.message())
        told = [value for name in ("phone", "text", "prid", "to") if (value := message.get(name))]
        more = [message.get("html"), message.get("code"), *message.get("data", {}).values()]
        return told + [text for text in more if text and len(text) >= SHORTEST_PRIVATE_TEXT]

    def config(self, gateway: Any, **more: object) -> Any:
        """Return the validated settings. The gateway gives `accepted` wherever a test says nothing else."""
        if self.accepted is not None:
            gateway.default = self.accepted
        return super().config(gateway, **more)

    def _accept(self, gateway: Any, delay: float = 0.0) -> None:
        gateway.answer(dataclasses.replace(self.accepted or gateway.default, delay=delay))
