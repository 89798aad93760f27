"""Parts that several wings of the services stand on."""

from dataclasses import dataclass
from typing import Self

from flexiapi.crypto.codes import Codes
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.model import Spaces
from flexiapi.notify import Notifier
from flexiapi.rendering.renderer import Renderer
from flexiapi.services.clock import Clock
from flexiapi.services.limiter import Limiter
from flexiapi.services.names import Names
from flexiapi.services.notices import Notices
from flexiapi.services.phone_countries import PhoneCountries
from flexiapi.settings import Settings
from flexiapi.store import Store


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings, the spaces, the store, and what is made of them for all services."""

    settings: Settings
    spaces: Spaces
    key: ApplicationKey
    store: Store
    notifier: Notifier
    clock: Clock
    codes: Codes
    limiter: Limiter
    names: Names
    phone_countries: PhoneCountries
    notices: Notices

    @classmethod
    def build(
        cls,
        settings: Settings,
        key: ApplicationKey,
        store: Store,
        notifier: Notifier,
        renderer: Renderer,
        clock: Clock,
    ) -> Self:
        """Make the shared parts."""
        limiter = Limiter(settings.limits, settings.account, store, clock)
        return cls(
            settings=settings,
            spaces=store.spaces,
            key=key,
            store=store,
            notifier=notifier,
            clock=clock,
            codes=Codes(key),
            limiter=limiter,
            names=Names(store, email_unique=settings.account.email_unique),
            phone_countries=PhoneCountries(store),
            notices=Notices(notifier, renderer, limiter, store, clock),
        )
