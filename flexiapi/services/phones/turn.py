"""Credentials of the TURN service: user names that expire, and passwords that the server can compute too."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from flexiapi.crypto.keys import random_text
from flexiapi.errors import Forbidden, NotFound
from flexiapi.model import Account
from flexiapi.services.ground import Ground

_RANDOM_LENGTH = 16
_SECONDS = 60


class NoTurnService(NotFound):
    """The settings name no TURN service."""

    message = "No TURN service configured"


class TurnForActivated(Forbidden):
    """An account that is not activated would relay at the operator's cost without having proven anything."""

    message = "Only an activated account may use the TURN service."


@dataclass(frozen=True, slots=True)
class TurnCredentials:
    """A user name and a password that are good for `seconds` at the servers."""

    username: str
    password: str = field(repr=False)
    seconds: int
    uris: Sequence[str]


class Turn:
    """Credentials by a shared secret (draft-uberti-behave-turn-rest-00)."""

    def __init__(self, ground: Ground) -> None:
        self._settings = ground.settings.turn
        self._clock = ground.clock

    def credentials(self, account: Account) -> TurnCredentials:
        """Return credentials for the phones of an account. Raises `NoTurnService`, `TurnForActivated`."""
        settings = self._settings
        if settings.secret is None or not settings.uris:
            raise NoTurnService
        if not account.activated:
            raise TurnForActivated
        seconds = settings.minutes * _SECONDS
        who = account.address if settings.username_has_address else random_text(_RANDOM_LENGTH)
        username = f"{int(self._clock.now().timestamp()) + seconds}:{who}"
        # The drafts and the servers know no other hash. Here it protects for a day, by a random secret.
        code = hmac.new(settings.secret.get_secret_value().encode(), username.encode(), hashlib.sha1)
        return TurnCredentials(username, base64.b64encode(code.digest()).decode(), seconds, settings.uris)
