"""The document of an export: all that is stored about a person, but for secrets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any

from flexiapi.model import Account, AsContact, Device, PanelSession
from flexiapi.services.accounts import PersonalRecords

SECRETS: Mapping[str, str] = {
    "passwords": "hashes that sign in; the export names their algorithms",
    "creation_token_hash": "hash of a token",
    "sign_in_epoch": "counter that signatures of sign-ins contain",
    "block_reason": "note of administrators to each other; a blocked account cannot export, and its end removes it",
    "unreadable": "names of damaged fields, for operators",
}
"""The fields of an account that are in no export as they are, and why."""

_WITHOUT: Mapping[str, tuple[str, ...]] = {
    "api_key": ("hash",),
    "confirmation": ("key", "pin_hash"),
    "email_change": ("pin_hash",),
    "phone_change": ("pin_hash",),
    "external_account": ("stored",),
    "bridged_account": ("stored",),
}
"""The secrets in parts of an account."""


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """The records beside the account; `devices` is `None` while the SIP server does not answer."""

    records: PersonalRecords
    contacts: Sequence[AsContact]
    sessions: Sequence[PanelSession]
    devices: Sequence[Device] | None


def document_of(account: Account, own: OwnRecords) -> dict[str, Any]:
    """Return the document, of values that JSON has."""
    records = own.records
    devices: Any = "The SIP server did not answer. Export again later."
    if own.devices is not None:
        devices = [_device(one) for one in own.devices]
    return {
        "account": account_of(account),
        "types": [one.key for one in records.types],
        "contacts": [
            {"id": one.id, "address": one.address, "display_name": one.display_name, "phone": one.phone}
            for one in own.contacts
        ],
        "contacts_lists": [
            {"id": one.id, "title": one.title, "description": one.description} for one in records.contacts_lists
        ],
        "vcards": [{"vcard": one.card.text, **_plain(_part(one, ("card",)))} for one in records.cards],
        "provisioning_fetches": [_plain(asdict(one)) for one in records.fetches],
        "devices": devices,
        "sessions": [_plain(_part(one, ("id_hash", "account_id", "epoch"))) for one in own.sessions],
        "tokens": [_plain(asdict(one)) for one in records.tokens],
        "named_api_keys": [_plain(asdict(one)) for one in records.named_keys],
        # Without the sound, which the page of the voicemail has.
        "voicemails": [_plain(_part(one, ("file_id", "link", "account_id"))) for one in records.voicemails],
        "calls": [_plain(asdict(one)) for one in records.reports.calls],
        "messages": [_plain(asdict(one)) for one in records.reports.messages],
        "conferences": [_plain(asdict(one)) for one in records.reports.conferences],
        "calls_messages_and_conferences_are_complete": records.reports.are_all,
        "events": [_plain(asdict(one)) for one in records.events],
        "events_are_complete": records.are_all_events,
    }


def account_of(account: Account) -> dict[str, Any]:
    """Return all fields of an account but for secrets."""
    shown = {one.name: getattr(account, one.name) for one in fields(account) if one.name not in SECRETS}
    shown["provisioning_token"] = account.provisioning_token is not None
    for name, secrets in _WITHOUT.items():
        shown[name] = None if shown[name] is None else _part(shown[name], secrets)
    shown["password_algorithms"] = [one.algorithm for one in account.passwords]
    exported: dict[str, Any] = _plain(shown)
    return exported


def _part(value: Any, secrets: Sequence[str]) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value) if one.name not in secrets}


def _device(device: Device) -> dict[str, Any]:
    """Return a device; the address by which it is woken is for the providers alone."""
    push = None if device.push is None else device.push.provider
    return _plain({**_part(device, ("push",)), "push_provider": push})  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """Return a value with what JSON does not have as text."""
    plain: Callable[[Any], Any] | None = next((made for kind, made in _KINDS if isinstance(value, kind)), None)
    return value if plain is None else plain(value)


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(item) for name, item in value.items()}


def _sequence(value: Sequence[Any]) -> list[Any]:
    return [_plain(item) for item in value]


def _fields(value: Any) -> dict[str, Any]:
    return _mapping({one.name: getattr(value, one.name) for one in fields(value)})


_KINDS: Sequence[tuple[Any, Callable[[Any], Any]]] = (
    (datetime, datetime.isoformat),
    (Enum, lambda value: value.value),
    (str | int | float | bool, lambda value: value),
    (bytes, lambda _: None),
    (Mapping, _mapping),
    (list | tuple, _sequence),
    (object, lambda value: _fields(value) if hasattr(value, "__dataclass_fields__") else None),
)
