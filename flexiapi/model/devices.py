"""Devices: registered at the SIP server, and reached by push."""

import re
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


_LONGEST_PARAMETER = 255


def push_address_of(provider: str, param: str, prid: str) -> PushAddress | None:
    """Return the push address that a Contact names, `None` without one or for one that no backend takes.

    Phones of Apple join services by `&` in `param`, which is a separator in the API and not here.
    """
    is_usable = (
        re.fullmatch(PUSH_PROVIDER, provider)
        and re.fullmatch(PUSH_ID, param)
        and len(param) <= _LONGEST_PARAMETER
        and re.fullmatch(PUSH_ID, prid)
    )
    return PushAddress(provider, param, prid) if is_usable else None


@dataclass(frozen=True, slots=True)
class PushDevice:
    """A device that is sent tokens by push; `identity` is the same however its address is written."""

    address: PushAddress
    identity: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is registered at the SIP server; `uuid` is its instance id without quotes and brackets.

    `expires_at` is `None` if the registration does not say. `host` is where the SIP server reaches it: an IP address,
    or a name that the device gave itself. `push` wakes it.
    """

    uuid: str
    user_agent: str
    updated_at: datetime
    expires_at: datetime | None = None
    host: str = ""
    push: PushAddress | None = None
