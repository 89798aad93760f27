"""Field types of what a SIP server reports: addresses, keys of devices, times."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from flexiapi.errors import Violations
from flexiapi.model import (
    MOST_RECEIVERS,
    MOST_REPORTED_DEVICES,
    CallEnd,
    ReportedDevice,
    ReportedOutcome,
)
from flexiapi.services.fields import Text
from flexiapi.sip_address import user_and_domain

_LONGEST_KEY = 512
_LONGEST_ADDRESS = 256
_LONGEST_TIME = 40
_LONGEST_TEXT = 256
_MOST_STATUS = 999
_LENGTH_OF_DAY = len("2026-11-30")
_KEY = "<urn:uuid:4f2e1a9c-1111-4222-8333-444455556666>"
_TIME = "2026-11-30T14:05:09Z"


def party_of(text: str) -> str:
    """Return an address as it is kept: with the domain in lower case. Raises `Violations`."""
    parts = user_and_domain(text) if len(text) <= _LONGEST_ADDRESS else None
    if parts is None:
        raise Violations(f"{{field}} must be an address user@domain (at most {_LONGEST_ADDRESS} characters)")
    return f"{parts[0]}@{parts[1]}"


def _reported_party(value: str) -> str:
    """Return an address of a body, in which the user name is encoded as in a SIP URI."""
    return party_of(unquote(value))


def report_time(value: Any) -> datetime:
    """Read a time in the form of ISO 8601; without an offset it is in UTC. Raises `Violations`."""
    wrong = Violations("{field} must be a time in the form of ISO 8601, such as 2026-11-30T14:05:09Z")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TIME or "T" not in value.upper():
        raise wrong
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None


def _day_or_time(value: Any) -> date:
    """Read a day, or a time as in reports."""
    if isinstance(value, str) and len(value) == _LENGTH_OF_DAY:
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    try:
        return report_time(value)
    except Violations:
        raise Violations("{field} must be a day or a time, such as 2026-11-30 or 2026-11-30T14:05:09Z") from None


def _key(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KEY or not _is_text(value):
        raise Violations(f"{{field}} must have keys of devices of 1 to {_LONGEST_KEY} characters")
    return value


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _object(value: Any, most: int) -> Mapping[Any, Any]:
    """Return an object of a body with at most that many entries. Raises `Violations`."""
    if not isinstance(value, dict):
        raise Violations("{field} must be an object")
    if len(value) > most:
        raise Violations(f"{{field}} must have at most {most} entries")
    return value


def _termination(value: Any) -> ReportedOutcome:
    """Read how the invitation of a device ended."""
    fields = _object(value, MOST_REPORTED_DEVICES)
    state = fields.get("state")
    if state not in list(CallEnd):
        raise Violations("{field} must have a state of the reference, such as accepted or declined")
    return ReportedOutcome(report_time(fields.get("at")), str(state))


def _called_devices(value: Any) -> tuple[ReportedDevice, ...]:
    return tuple(_called(_key(key), state) for key, state in _object(value, MOST_REPORTED_DEVICES).items())


def _called(key: str, value: Any) -> ReportedDevice:
    fields = {} if value is None else _object(value, MOST_REPORTED_DEVICES)
    rang_at, ended = fields.get("rang_at"), fields.get("invite_terminated")
    return ReportedDevice(
        key,
        rang_at=None if rang_at is None else report_time(rang_at),
        outcome=None if ended is None else _termination(ended),
    )


def _receivers(value: Any) -> dict[str, tuple[ReportedDevice, ...]]:
    receivers: dict[str, tuple[ReportedDevice, ...]] = {}
    for address, devices in _object(value, MOST_RECEIVERS).items():
        if not isinstance(address, str) or not _is_text(address):
            raise Violations("{field} must have addresses user@domain as keys")
        owner = _reported_party(address)
        keys = {} if devices is None else _object(devices, MOST_REPORTED_DEVICES)
        receivers[owner] = tuple(ReportedDevice(_key(key), party=owner) for key in keys)
    if sum(map(len, receivers.values())) > MOST_REPORTED_DEVICES:
        raise Violations(f"{{field}} must have at most {MOST_REPORTED_DEVICES} devices")
    return receivers


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_STATUS:
        raise Violations("{field} must be the number of a SIP status")
    return value


RecordId = Annotated[
    Text,
    Field(min_length=1, max_length=128, description="the SIP server's name of the record", examples=["5f2c9e0a41d7"]),
]
Party = Annotated[
    Text,
    AfterValidator(_reported_party),
    Field(description="address of the caller or sender", examples=["alice.martin@sip.example.org"]),
]
CalledParty = Annotated[
    Text,
    AfterValidator(_reported_party),
    Field(description="address that is called", examples=["bob@sip.example.org"]),
]
ReportTime = Annotated[
    datetime,
    BeforeValidator(report_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [_TIME]}),
    Field(description="time in the form of ISO 8601; in UTC without an offset"),
]
ReportDay = Annotated[
    date,
    PlainValidator(_day_or_time),
    WithJsonSchema({"type": "string", "examples": ["2026-11-30"]}),
]
ReportText = Annotated[Text, Field(max_length=_LONGEST_TEXT, examples=["x7Yk2"])]
Termination = Annotated[
    ReportedOutcome,
    BeforeValidator(_termination),
    WithJsonSchema(
        {
            "type": "object",
            "required": ["at", "state"],
            "properties": {
                "at": {"type": "string", "format": "date-time", "examples": [_TIME]},
                "state": {"type": "string", "enum": list(CallEnd)},
            },
            "examples": [{"at": _TIME, "state": "accepted"}],
        }
    ),
]
CalledDevices = Annotated[
    tuple[ReportedDevice, ...],
    BeforeValidator(_called_devices),
    WithJsonSchema({"type": "object", "additionalProperties": True, "examples": [{_KEY: None}]}),
    Field(description="the called devices by their keys; of each, `null` or what its own call takes"),
]
Receivers = Annotated[
    dict[str, tuple[ReportedDevice, ...]],
    BeforeValidator(_receivers),
    WithJsonSchema(
        {"type": "object", "additionalProperties": True, "examples": [{"bob@sip.example.org": {_KEY: None}}]}
    ),
    Field(description="the devices of the receivers by address; `{}` for a message to a conference"),
]
SipStatus = Annotated[
    int,
    BeforeValidator(_status),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _MOST_STATUS, "examples": [200]}),
    Field(description="SIP status that the device answered last"),
]
