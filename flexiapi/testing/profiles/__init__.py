"""Servers that behave as known providers do: their paths, answers, error bodies and limits.

Each is a gateway. `dead` has the addresses that it calls gone, `delivered` counts the messages that each address got,
and `stall` makes it silent for a while.
"""

from flexiapi.testing.profiles.fcm import Fcm
from flexiapi.testing.profiles.ntfy import Ntfy
from flexiapi.testing.profiles.web_push import WebPushReceiver, verified_claims

__all__ = ["Fcm", "Ntfy", "WebPushReceiver", "verified_claims"]
