"""Lives of keys, tokens and codes, for the documentation page."""

from collections.abc import Iterator
from datetime import timedelta

from flexiapi.rendering.reference import ReferenceLife
from flexiapi.services.sign_in import AUTH_TOKEN_LIFE
from flexiapi.settings import Settings

_DAY = 86400
_HOUR = 3600
_MINUTE = 60
_UNITS = ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes"))


def lives(settings: Settings) -> list[ReferenceLife]:
    """Return the lives that these settings give."""
    account = settings.account
    key = _told(timedelta(minutes=settings.app.api_key_expiration_minutes))
    nonce = _told(timedelta(minutes=account.nonce_minutes))
    return [
        ReferenceLife("API key", f"until it is not used for {key}, or a new one is made"),
        ReferenceLife("DIGEST nonce", f"{nonce}; then the answer has a new one"),
        ReferenceLife("`auth_token`", f"{_told(AUTH_TOKEN_LIFE)}, for one API key"),
        *_of_creation(settings),
        *_of_codes(settings),
    ]


def _of_creation(settings: Settings) -> Iterator[ReferenceLife]:
    account = settings.account
    request, token = timedelta(hours=account.request_token_hours), timedelta(days=account.creation_token_days)
    yield ReferenceLife("`account_creation_request_token`", f"{_told(request)}, for one creation token")
    yield ReferenceLife("`account_creation_token`", f"{_told(token)}, for one account or recovery")


def _of_codes(settings: Settings) -> Iterator[ReferenceLife]:
    account = settings.account
    key, token = timedelta(hours=account.activation_hours), timedelta(hours=account.provisioning_token_hours)
    yield ReferenceLife("PIN code", f"{_told(account.pin_life)}, with {account.pin_tries} wrong tries")
    yield ReferenceLife("`confirmation_key`", f"{_told(key)}, or until `confirmation_key_expires`; for one use")
    yield ReferenceLife("`provisioning_token`", f"{_told(token) if token else 'no end'}, for one use")


def _told(life: timedelta) -> str:
    seconds = int(life.total_seconds())
    for size, unit in _UNITS:
        # 24 hours, but 30 days: the biggest unit of which there are at least two.
        if seconds % size == 0 and seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return "1 minute" if seconds == _MINUTE else f"{seconds} seconds"
