"""A notification as it is posted to APNs."""

from uuid import UUID, uuid4

from aioapns.common import NotificationRequest, PushType

from flexiapi.plugin import PushMessage
from flexiapi_push_apns.addressing import Target

# Apple requires this priority for background notifications: the phone may choose the moment.
_CONSIDERATE = 5
_AT_ONCE = 10


def notification(message: PushMessage, to: Target, longest_seconds: int) -> NotificationRequest:
    """Return an alert for a message with a title, otherwise a notification in the background.

    All tries of it have the same id.
    """
    # Messages of earlier servers have no title and no options.
    title, seconds = getattr(message, "title", None), getattr(message, "time_to_live", None)
    aps: dict[str, object] = {"content-available": 1}
    if title:
        aps["alert"] = {"title": title}
    at_once = title and getattr(message, "priority", "high") == "high"
    return NotificationRequest(
        to.token,
        {"aps": aps, "customPayload": dict(message.data)},
        str(UUID(hex=getattr(message, "idempotency_key", None) or uuid4().hex)),
        # 0 has a meaning of its own, one try and nothing stored: without a time, 0 is sent.
        (longest_seconds if seconds is None else min(seconds, longest_seconds)) or None,
        _AT_ONCE if at_once else _CONSIDERATE,
        getattr(message, "collapse_id", None),
        PushType.ALERT if title else PushType.BACKGROUND,
        apns_topic=to.topic,
    )
