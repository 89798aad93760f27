"""Selection and order of the backends for a message: by provider, phone prefix and `order`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flexiapi.notify.outlet import Outlet
from flexiapi.plugin import ANY_PROVIDER, Channel, MailMessage, PushBackend, PushMessage, SmsBackend, SmsMessage

AnyMessage = PushMessage | SmsMessage | MailMessage


@dataclass(frozen=True, slots=True)
class Route:
    """An outlet and the rules for its use."""

    outlet: Outlet[Any]
    order: int = 0
    prefixes: Sequence[str] = ()

    def serves(self, message: AnyMessage) -> bool:
        """Return True if the rules allow the message."""
        if isinstance(message, SmsMessage):
            if message.channel != "text" and not self._has_channel(message.channel):
                return False
            return not self.prefixes or any(message.phone.startswith(prefix) for prefix in self.prefixes)
        if isinstance(message, PushMessage) and isinstance(self.outlet.backend, PushBackend):
            return not self.outlet.backend.providers.isdisjoint({message.provider, ANY_PROVIDER})
        return True

    def _has_channel(self, channel: Channel) -> bool:
        """Return whether the backend sends SMS by that channel. All of them send texts."""
        backend = self.outlet.backend
        try:
            return isinstance(backend, SmsBackend) and channel in backend.channels
        except Exception:  # noqa: BLE001 - a plugin may be wrong in any way: it gets texts only
            return False

    def closeness(self, message: AnyMessage) -> int:
        """Return the length of the longest prefix that matches the message."""
        if not isinstance(message, SmsMessage):
            return 0
        return max((len(prefix) for prefix in self.prefixes if message.phone.startswith(prefix)), default=0)


def chosen(routes: Sequence[Route], message: AnyMessage) -> list[Outlet[Any]]:
    """Return the outlets to try in turn: by lower `order`, then the longest prefix, then the order of the settings."""
    serving = [route for route in routes if route.serves(message)]
    serving.sort(key=lambda route: (route.order, -route.closeness(message)))
    return [route.outlet for route in serving]
