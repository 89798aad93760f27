"""A notification as it is posted to APNs."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from aioapns.common import NotificationRequest, PushType

from flexiapi.plugin import PushMessage
from flexiapi_push_apns.addressing import Target

# Apple requires this priority for background notifications: the phone may choose the moment.
_CONSIDERATE = 5
_AT_ONCE = 10


def notification(message: PushMessage, to: Target, longest_seconds: int) -> NotificationRequest:
    """Return a notification about a call or message at the SIP server, an alert with a title, or one in the background.

    All tries of it have the same id.
    """
    # Messages of earlier servers have no title, no purpose and no options.
    title, seconds = getattr(message, "title", None), getattr(message, "time_to_live", None)
    is_waking = getattr(message, "purpose", "background") != "background"
    at_once = is_waking or (title and getattr(message, "priority", "high") == "high")
    shown = PushType.ALERT if title or is_waking else PushType.BACKGROUND
    return NotificationRequest(
        to.token,
        _waking(message, to) if is_waking else _own(message, title),
        str(UUID(hex=getattr(message, "idempotency_key", None) or uuid4().hex)),
        # 0 has a meaning of its own, one try and nothing stored: without a time, 0 is sent.
        (longest_seconds if seconds is None else min(seconds, longest_seconds)) or None,
        _AT_ONCE if at_once else _CONSIDERATE,
        getattr(message, "collapse_id", None),
        PushType.VOIP if to.is_for_calls else shown,
        apns_topic=to.topic,
    )


def _own(message: PushMessage, title: str | None) -> dict[str, object]:
    """Return the content of a notification of the server's own."""
    aps: dict[str, object] = {"content-available": 1}
    if title:
        aps["alert"] = {"title": title}
    return {"aps": aps, "customPayload": dict(message.data)}


def _waking(message: PushMessage, to: Target) -> dict[str, object]:
    """Return the content that Linphone reads when it is woken for a call or a message, as Flexisip sends it."""
    words: dict[str, object] = {
        "loc-key": "IC_MSG" if getattr(message, "purpose", "") == "call" else "IM_MSG",
        "loc-args": [""],
    }
    alert = words if to.is_for_calls else {"alert": words, "mutable-content": 1}
    about = {
        "call-id": getattr(message, "call_id", ""),
        "uuid": "",
        "send-time": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "sound": "" if to.is_for_calls else "default",
    }
    return {"aps": {**alert, **about}, "from-uri": "", "display-name": "", "customPayload": dict(message.data)}
