"""Devices: registered at the SIP server, and reached by push."""

from dataclasses import dataclass, field
from datetime import datetime

PUSH_PROVIDER = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
PUSH_PARAMETER = r"(?!-)[A-Za-z0-9_:.~%+/=-]{1,255}"
PUSH_ID = r"(?!-)[A-Za-z0-9_:.~%+/=?&-]{1,1000}"

USUAL_PROVIDERS = frozenset({"apns", "apns.dev", "fcm", "ntfy", "unifiedpush"})
"""The values of `pn_provider` that are known without a backend."""


@dataclass(frozen=True, slots=True)
class PushAddress:
    """The address of a push notification: the three RFC 8599 parameters."""

    provider: str
    param: str
    prid: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PushDevice:
    """A device that is sent tokens by push; `identity` is the same however its address is written."""

    address: PushAddress
    identity: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is registered at the SIP server; `uuid` is its instance id without quotes and brackets."""

    uuid: str
    user_agent: str
    updated_at: datetime
