"""An account in memory, for tests of its verbs."""

from datetime import UTC, datetime, timedelta

from flexiapi.model import Account, Algorithm, Confirmation, Password, PendingChange, StoredApiKey

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=30)
LATER = NOW + timedelta(hours=1)
OLD = Password(Algorithm.SHA_256, "0" * 64)
NEW = Password(Algorithm.SHA_256, "1" * 64)
KEY = StoredApiKey(b"hash", EARLIER, EARLIER)
MAILED = Confirmation(key="WatDmy0pTd4cO", expires_at=NOW)
TEXTED = Confirmation(pin_hash=b"pin", expires_at=NOW)


def pending(target):
    return PendingChange(target, b"pin", requested_at=EARLIER, expires_at=NOW)


NUMBER = "+33612345678"


def newcomer(**fields):
    """An account that the public made with the number `NUMBER` and an address, and that has proven nothing yet."""
    waiting = {"activated": False, "activated_at": None, "email_change": None, "phone_change": None}
    claimed = {"claimed_phone": NUMBER, "claimed_email": "alice@example.org", "unconfirmed": True}
    return account(**{**waiting, **claimed, "confirmation": None, **fields})


def account(**fields):
    """An activated account with a password and everything that can be pending."""
    given = {
        "id": 7,
        "username": "alice.martin",
        "domain": "sip.example.org",
        "created_at": EARLIER,
        "updated_at": EARLIER,
        "activated": True,
        "activated_at": EARLIER,
        "email": "alice@example.org",
        "passwords": (OLD,),
        "sign_in_epoch": 3,
        "api_key": KEY,
        "provisioning_token": "token",
        "provisioning_token_at": EARLIER,
        "confirmation": TEXTED,
        "email_change": pending("new@example.org"),
        "phone_change": pending("+33612345678"),
    }
    return Account(**{**given, **fields})


def written(change):
    """The fields that a change writes, with their values."""
    return {name: getattr(change.after, name) for name in change.fields}


TOKEN_ENDED = dict.fromkeys(
    ("provisioning_token", "provisioning_token_at", "provisioning_token_until", "provisioning_by")
)
CODES_ENDED = dict.fromkeys(("confirmation", "email_change", "phone_change")) | TOKEN_ENDED
