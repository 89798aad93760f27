"""Which backends serve a message, and in what order: by provider, by phone prefix, by `order`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flexiapi.notify.outlet import Outlet
from flexiapi.plugin import ANY_PROVIDER, MailMessage, PushBackend, PushMessage, SmsMessage

AnyMessage = PushMessage | SmsMessage | MailMessage


@dataclass(frozen=True, slots=True)
class Route:
    """One outlet and the rules for its use."""

    outlet: Outlet[Any]
    order: int = 0
    prefixes: Sequence[str] = ()

    def serves(self, message: AnyMessage) -> bool:
        """Whether the message may go this way."""
        if isinstance(message, SmsMessage):
            return not self.prefixes or any(message.phone.startswith(prefix) for prefix in self.prefixes)
        if isinstance(message, PushMessage) and isinstance(self.outlet.backend, PushBackend):
            return not self.outlet.backend.providers.isdisjoint({message.provider, ANY_PROVIDER})
        return True

    def closeness(self, message: AnyMessage) -> int:
        """How closely the rules name the message: the length of the prefix that fits it."""
        if not isinstance(message, SmsMessage):
            return 0
        return max((len(prefix) for prefix in self.prefixes if message.phone.startswith(prefix)), default=0)


def chosen(routes: Sequence[Route], message: AnyMessage) -> list[Outlet[Any]]:
    """The outlets to try, one after the other: lower `order` first, then the longest prefix, then as configured."""
    serving = [route for route in routes if route.serves(message)]
    serving.sort(key=lambda route: (route.order, -route.closeness(message)))
    return [route.outlet for route in serving]
