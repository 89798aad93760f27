"""A notification as it is posted to APNs."""

import json
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from flexiapi.plugin import PushMessage
from flexiapi_push_apns.addressing import Target

# Apple requires this priority for background notifications: the phone may choose the moment.
_CONSIDERATE = "5"
_AT_ONCE = "10"


@dataclass(frozen=True, slots=True)
class Notification:
    """Path, headers and payload of one notification; all tries of it have the same id."""

    path: str = field(repr=False)
    id: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    payload: bytes = field(repr=False)


def notification(message: PushMessage, to: Target, longest_seconds: int) -> Notification:
    """Return an alert for a message with a title, otherwise a notification in the background."""
    # Messages of earlier servers have no title and no options.
    title, seconds = getattr(message, "title", None), getattr(message, "time_to_live", None)
    aps: dict[str, object] = {"content-available": 1}
    if title:
        aps["alert"] = {"title": title}
    at_once = title and getattr(message, "priority", "high") == "high"
    headers = {
        "apns-topic": to.topic,
        "apns-push-type": "alert" if title else "background",
        "apns-priority": _AT_ONCE if at_once else _CONSIDERATE,
        "apns-expiration": _expiration(longest_seconds if seconds is None else min(seconds, longest_seconds)),
        "apns-collapse-id": getattr(message, "collapse_id", None),
    }
    return Notification(
        f"/3/device/{to.token}",
        str(UUID(hex=getattr(message, "idempotency_key", None) or uuid4().hex)),
        tuple((name, value) for name, value in headers.items() if value is not None),
        json.dumps({"aps": aps, "customPayload": dict(message.data)}, separators=(",", ":")).encode(),
    )


def _expiration(seconds: int) -> str:
    # 0 has a meaning of its own: one try, nothing stored.
    return str(int(time.time()) + seconds) if seconds > 0 else "0"
