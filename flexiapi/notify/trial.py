"""Test messages, sent by operators to check a backend."""

import re
from urllib.parse import unquote

from email_validator import EmailNotValidError, validate_email

from flexiapi.errors import ConfigurationError
from flexiapi.model import PUSH_ID, PUSH_PARAMETER, PUSH_PROVIDER, e164
from flexiapi.notify.discovery import Transport
from flexiapi.plugin import Channel, MailMessage, PushMessage, SmsMessage

_TEXT = "This is a test message of the account server."
_SPOKEN = f"{_TEXT} 0, 4, 2, 7."
_KIND = "test"
_LONGEST_ADDRESS = 64
_PHONE = re.compile(r"\+[0-9]{3,15}")


def trial_message(transport: Transport, to: str, channel: Channel) -> PushMessage | SmsMessage | MailMessage:
    """Return a test message to a phone number (`+...`), a mail address or `pn-provider=...;pn-param=...;pn-prid=...`.

    Raises `ConfigurationError` for anything else: backends rely on a valid address, so a wrong one would prove nothing.
    """
    if transport is Transport.SMS:
        return SmsMessage(_phone(to), _TEXT if channel == "text" else _SPOKEN, kind=_KIND, channel=channel)
    if channel != "text":
        raise ConfigurationError("Only a backend for SMS can call.")
    if transport is Transport.MAIL:
        return MailMessage(_address(to), "Test", _TEXT, kind=_KIND)
    return PushMessage(*_push_address(to), {"token": "test"}, kind=_KIND)


def _phone(to: str) -> str:
    if not _PHONE.fullmatch(to):
        raise ConfigurationError(
            f"`{to}` is not a phone number. Write + and the country's code before the digits, as in +33612345678."
        )
    if e164(to) != to:
        raise ConfigurationError(f"`{to}` is written {e164(to)}. The API would refuse it too.")
    return to


def _address(to: str) -> str:
    if len(to) > _LONGEST_ADDRESS:
        raise ConfigurationError(f"`{to}` has more than {_LONGEST_ADDRESS} characters, which no account's may have.")
    try:
        validate_email(to, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ConfigurationError(f"`{to}` is not a mail address. Write one as in alice@example.org.") from error
    return to


def _push_address(to: str) -> tuple[str, str, str]:
    given = dict(item.strip().partition("=")[::2] for item in to.split(";"))
    provider, param, prid = (unquote(given.get(f"pn-{name}", "")) for name in ("provider", "param", "prid"))
    missing = [name for name, value in (("provider", provider), ("param", param), ("prid", prid)) if not value]
    if missing:
        raise ConfigurationError(
            f"pn-{missing[0]} is missing. A push address is written pn-provider=...;pn-param=...;pn-prid=..., "
            "as in the Contact of a REGISTER."
        )
    written = {"provider": (provider, PUSH_PROVIDER), "param": (param, PUSH_PARAMETER), "prid": (prid, PUSH_ID)}
    wrong = [name for name, (value, pattern) in written.items() if not re.fullmatch(pattern, value)]
    if wrong:
        raise ConfigurationError(f"pn-{wrong[0]} has characters that the API does not allow, or too many.")
    return provider, param, prid
