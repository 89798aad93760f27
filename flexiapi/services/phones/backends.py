"""The notification backends of the server, as its operators see them, and test messages to oneself."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from flexiapi.errors import ConfigurationError, DeliveryFailed, FieldErrors, RecordNotFound, ValidationFailed
from flexiapi.model import Account, BackendState, KnownBackend
from flexiapi.notify import Transport, configured_backends, installed_backends
from flexiapi.plugin import DeliveryError
from flexiapi.services.ground import Ground
from flexiapi.services.phones.devices import Devices


class Backends:
    """The backends of all transports."""

    def __init__(self, ground: Ground, devices: Devices) -> None:
        self._settings = ground.settings
        self._notifier = ground.notifier
        self._limiter = ground.limiter
        self._devices = devices

    def states(self) -> Sequence[BackendState]:
        """Return the configured backends as they are in this process."""
        return self._states({}, {})

    async def checked(self) -> Sequence[BackendState]:
        """Return the configured backends, after each has checked that it could send now. Nothing is sent."""
        found = {f"{one.transport}.{one.label}": one for one in await self._notifier.check()}
        faults = {table: one.error or "" for table, one in found.items()}
        return self._states(faults, {table: one.credit for table, one in found.items()})

    def _states(self, faults: Mapping[str, str], credit: Mapping[str, float | None]) -> Sequence[BackendState]:
        names = {f"{kind}.{label}": name for kind, label, name in self._tables()}
        states = []
        for outlet in self._notifier.outlets:
            failure, (waiting, under_way) = outlet.record.failure, outlet.load
            states.append(
                BackendState(
                    outlet.table,
                    str(outlet.transport),
                    names.get(outlet.table, ""),
                    bool(outlet.resting),
                    waiting,
                    under_way,
                    outlet.record.sent_at,
                    None if failure is None else failure.at,
                    "" if failure is None else failure.reason,
                    faults.get(outlet.table),
                    credit.get(outlet.table),
                )
            )
        return states

    def _tables(self) -> Sequence[tuple[Transport, str, str]]:
        return [
            (transport, label, table.backend)
            for transport in Transport
            for label, table in configured_backends(self._settings, transport).items()
        ]

    async def installed(self) -> Sequence[KnownBackend]:
        """Return the backends of all installed distributions."""
        tables = self._tables()
        return [
            KnownBackend(
                str(one.transport),
                one.name,
                str(one),
                [f"{kind}.{label}" for kind, label, name in tables if (kind, name) == (one.transport, one.name)],
            )
            for one in await asyncio.to_thread(installed_backends)
        ]

    async def send_test(self, table: str, account: Account) -> str:
        """Send a test message through one backend to an address of the account itself. Return the address.

        A mail goes to its proven e-mail address, an SMS to its proven number, and a push to a phone that is registered
        now. Raises `ValidationFailed` without such an address or when the backend does not send, `RecordNotFound` for
        an unknown backend, `TooManyRequests`, `RegistrarUnavailable`.
        """
        outlets = {outlet.table: outlet.transport for outlet in self._notifier.outlets}
        if table not in outlets:
            raise RecordNotFound
        to = await self._address(outlets[table], account)
        if to is None:
            raise ValidationFailed(_MISSING[outlets[table]])
        uses = [("tests", f"backend {account.id}")]
        if outlets[table] is Transport.SMS:
            uses += self._limiter.sms_budgets_of(to)
        taken_at = await self._limiter.take(*uses)
        try:
            await self._notifier.send_test(table, to)
        except (DeliveryFailed, ConfigurationError) as error:
            await self._limiter.give_back(*uses[1:], taken_at=taken_at)
            raise ValidationFailed({"backend": [f"backend has not sent it: {_reason(error)}"]}) from error
        return to

    async def _address(self, transport: Transport, account: Account) -> str | None:
        if transport is Transport.MAIL:
            return account.proven_email
        if transport is Transport.SMS:
            return account.phone
        for device in await self._devices.of(account):
            if (push := device.push) is not None:
                named = {"provider": push.provider, "param": push.param, "prid": push.prid}
                return ";".join(f"pn-{name}={quote(value, safe='')}" for name, value in named.items())
        return None


_MISSING: Mapping[Transport, FieldErrors] = {
    Transport.MAIL: {"backend": ["backend needs a confirmed e-mail address of your account to send a test to"]},
    Transport.SMS: {"backend": ["backend needs a confirmed phone number of your account to send a test to"]},
    Transport.PUSH: {"backend": ["backend needs a phone of your account that is registered now, with push"]},
}


def _reason(error: DeliveryFailed | ConfigurationError) -> str:
    cause = error.__cause__
    if isinstance(cause, DeliveryError):
        return cause.reason
    return error.message if isinstance(error, DeliveryFailed) else str(error)
