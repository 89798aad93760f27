"""Devices: registered at the SIP server, and reached by push."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PushAddress:
    """The address of a push notification: the three RFC 8599 parameters."""

    provider: str
    param: str
    prid: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is registered at the SIP server; `uuid` is its instance id without quotes and brackets."""

    uuid: str
    user_agent: str
    updated_at: datetime
