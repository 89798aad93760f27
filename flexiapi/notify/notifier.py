"""The notifier, through which services send messages."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from flexiapi.errors import ConfigurationError, DeliveryFailed, DeviceUnregistered, RecordNotFound
from flexiapi.model import PUSH_PROVIDER, USUAL_PROVIDERS
from flexiapi.notify.assembly import routes, tables
from flexiapi.notify.discovery import Transport, declared_providers
from flexiapi.notify.doubts import doubts_of
from flexiapi.notify.origin import told
from flexiapi.notify.outlet import Outlet
from flexiapi.notify.reporting import take, takes_reports
from flexiapi.notify.routing import AnyMessage, Route, chosen
from flexiapi.notify.trial import trial_message
from flexiapi.observing import log
from flexiapi.plugin import (
    ANY_PROVIDER,
    Callback,
    Channel,
    DeliveryError,
    MailMessage,
    PushBackend,
    PushMessage,
    Receipt,
    RecipientDeferred,
    RecipientRefused,
    SmsMessage,
    Unregistered,
    usual_identity,
)
from flexiapi.settings import Settings


class Checked(NamedTuple):
    """The result of checking a configured backend; `error` says what to fix, and is `None` if it could send now.

    `credit` is what is left at the provider, in its own unit, if it tells. `warnings` are probable mistakes in its
    settings, with which it works.
    """

    transport: Transport
    label: str
    error: str | None
    takes_reports: bool = False
    credit: float | None = None
    warnings: tuple[str, ...] = ()


class Notifier:
    """Sends messages through the configured backends of a transport, in order, until one accepts.

    The constructor imports the backends that the settings name and raises `ConfigurationError`. After any failure of
    one backend the next is tried, also after a refusal, because another provider may well serve that number or address.
    Only an answer about the address itself ends it at once: not registered, opted out, later. The backends share the
    deadline, so that a silent one leaves time for the others.
    """

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.delivery.deadline_seconds
        self._routes: dict[Transport, list[Route]] = routes(settings)
        self._unserved = [transport for transport in Transport if not tables(settings, transport)]
        self._started: list[Outlet[AnyMessage]] = []

    @property
    def outlets(self) -> list[Outlet[AnyMessage]]:
        """All configured backends."""
        return [route.outlet for transport in Transport for route in self._routes[transport]]

    async def start(self) -> None:
        """Start every backend on this event loop. Raises `ConfigurationError` if one cannot."""
        if self._unserved:
            log.warning(
                "no backend is configured",
                **{transport.value: self._consequence(transport) for transport in self._unserved},
            )
        for outlet in self.outlets:
            try:
                await outlet.start()
            except BaseException as error:
                await self.close()
                if isinstance(error, Exception):
                    raise ConfigurationError(
                        f"[{outlet.table}] cannot start: {told(error, outlet.backend.start)}"
                    ) from error
                raise
            self._started.append(outlet)
            for text in doubts_of(outlet):
                log.warning("setting is doubtful", backend=outlet.table, text=text)

    def _consequence(self, transport: Transport) -> str:
        used = ", ".join(route.outlet.label for route in self._routes[transport])
        return f"messages go to `{used}`: nobody receives them" if used else "such messages cannot be sent"

    async def close(self) -> None:
        """Close the backends that were started."""
        while self._started:
            await self._started.pop().close()

    async def provider_fault(self, provider: str) -> str | None:
        """Return the fault of a `pn_provider`, `None` for a usual one and for those that installed backends declare.

        Installed backends that the settings do not name are imported as soon as a name is known to no other.
        """
        if provider in USUAL_PROVIDERS | self._configured_providers:
            return None
        declared = await asyncio.to_thread(declared_providers)
        if provider in declared:
            return None
        return f"must be one of {', '.join(sorted(USUAL_PROVIDERS | declared))}"

    @property
    def _configured_providers(self) -> frozenset[str]:
        backends = [route.outlet.backend for route in self._routes[Transport.PUSH]]
        found = [backend.providers for backend in backends if isinstance(backend, PushBackend)]
        return frozenset[str]().union(*found) - {ANY_PROVIDER}

    def identity(self, message: PushMessage) -> str:
        """Return the identity of the device, as the backend says it that the message goes to first.

        Raises `DeliveryFailed` for an address that the backend refuses.
        """
        outlets = chosen(self._routes[Transport.PUSH], message)
        try:
            return outlets[0].identity(message) if outlets else usual_identity(message)
        except DeliveryError as error:
            raise DeliveryFailed from error

    async def push(self, message: PushMessage, seconds: float | None = None) -> Receipt:
        """Send a push notification, within `seconds` if that is less than the deadline of all messages.

        Raises `DeliveryFailed`, or its subclass `DeviceUnregistered`.
        """
        try:
            return await self._deliver(Transport.PUSH, message, min(self._seconds, seconds or self._seconds))
        except Unregistered as error:
            raise DeviceUnregistered from error

    async def sms(self, message: SmsMessage) -> Receipt:
        """Send an SMS. Raises `DeliveryFailed`."""
        return await self._deliver(Transport.SMS, message)

    def can_call(self, phone: str) -> bool:
        """Return whether a backend reads texts to people at such numbers."""
        return bool(chosen(self._routes[Transport.SMS], SmsMessage(phone, "", channel="voice")))

    async def mail(self, message: MailMessage, seconds: float | None = None) -> Receipt:
        """Send a mail within that time, by default that of all messages. Raises `DeliveryFailed`."""
        return await self._deliver(Transport.MAIL, message, seconds)

    async def _deliver(self, transport: Transport, message: AnyMessage, seconds: float | None = None) -> Receipt:
        deadline = time.monotonic() + (seconds or self._seconds)
        outlets = chosen(self._routes[transport], message)
        failure: DeliveryFailed | None = None
        if not outlets:
            log.warning("no backend serves this message", transport=transport.value)
        for tried, outlet in enumerate(outlets):
            left = deadline - time.monotonic()
            try:
                return await outlet.send(_fitting(message, outlet), left / (len(outlets) - tried))
            except DeliveryFailed as error:
                failure = error
                if isinstance(error.__cause__, RecipientDeferred | RecipientRefused):
                    break
        raise failure or DeliveryFailed(reason="no backend serves this message")

    async def report(self, label: str, body: bytes, headers: Mapping[str, str], query: str) -> None:
        """Take a request by which a provider reports deliveries of the backend with that label (or `sms.main`).

        Raises `RecordNotFound` if no backend or several have it or it takes no reports, `Forbidden` if the request is
        not the provider's, and `MalformedRequest`.
        """
        found = [outlet for outlet in self.outlets if label in (outlet.label, outlet.table) and takes_reports(outlet)]
        if len(found) != 1:
            raise RecordNotFound
        await take(found[0], Callback(body, headers, query), self._seconds)

    async def check(self, label: str | None = None) -> list[Checked]:
        """Check that the backends of that label (`sms.main` or `main`; all by default) could send now."""
        outlets = self._labelled(label) if label is not None else self.outlets
        return await asyncio.gather(*(_checked(outlet) for outlet in outlets))

    async def send_test(self, label: str, to: str, channel: Channel = "text") -> Receipt:
        """Send a test message through one backend; `to` is a phone number, a mail address or `pn-*` parameters.

        Raises `ConfigurationError` for a wrong label or address, `DeliveryFailed` with the reason as its cause.
        """
        found = self._labelled(label)
        if len(found) > 1:
            names = ", ".join(outlet.table for outlet in found)
            raise ConfigurationError(f"Several backends have the label `{label}`. Say which: {names}.")
        outlet = found[0]
        message = trial_message(outlet.transport, to, channel)
        if isinstance(message, PushMessage) and (fault := await self.provider_fault(message.provider)):
            raise ConfigurationError(f"pn-provider {fault}. The API would refuse `{message.provider}` too.")
        if isinstance(message, PushMessage) and not Route(outlet).serves(message):
            raise ConfigurationError(f"[{outlet.table}] does not serve {to}: its `providers` has no such name.")
        if isinstance(message, SmsMessage) and not Route(outlet).serves(message):
            raise ConfigurationError(f"[{outlet.table}] cannot call: its settings lack what its README says of calls.")
        try:
            return await outlet.send(message)
        except Unregistered as error:
            raise DeviceUnregistered from error

    def _labelled(self, label: str) -> list[Outlet[AnyMessage]]:
        found = [outlet for outlet in self.outlets if label in (outlet.label, outlet.table)]
        if not found:
            names = ", ".join(outlet.table for outlet in self.outlets) or "none"
            raise ConfigurationError(f"No backend has the label `{label}`. Configured: {names}.")
        return found


def _fitting(message: AnyMessage, outlet: Outlet[AnyMessage]) -> AnyMessage:
    """Return a message as the backend takes it: without attachments, if it does not declare to send them."""
    if not isinstance(message, MailMessage) or not message.attachments:
        return message
    return message if getattr(outlet.backend, "takes_attachments", False) else replace(message, attachments=())


async def _checked(outlet: Outlet[AnyMessage]) -> Checked:
    error = await _error(outlet)
    credit = await outlet.credit() if error is None else None
    return Checked(outlet.transport, outlet.label, error, takes_reports(outlet), credit, doubts_of(outlet))


async def _error(outlet: Outlet[AnyMessage]) -> str | None:
    backend = outlet.backend
    if not isinstance(backend, PushBackend):
        return await outlet.check()
    declared = backend.providers
    if not isinstance(declared, frozenset | set) or not declared:
        return "its `providers` is no set of names: no pn_provider leads to it"
    wrong = [name for name in declared - {ANY_PROVIDER} if not re.fullmatch(PUSH_PROVIDER, str(name))]
    if wrong:
        return f"the API takes no pn_provider that is written `{wrong[0]}`, which its `providers` has"
    return await outlet.check()
