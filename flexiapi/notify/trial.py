"""Messages that an operator sends to see that a backend works."""

from urllib.parse import unquote

from flexiapi.errors import ConfigurationError
from flexiapi.notify.discovery import Transport
from flexiapi.plugin import MailMessage, PushMessage, SmsMessage

_TEXT = "This is a test message of the account server."


def trial_message(transport: Transport, to: str) -> PushMessage | SmsMessage | MailMessage:
    """A test message to a phone number (`+...`), a mail address or `pn-provider=...;pn-param=...;pn-prid=...`."""
    if transport is Transport.SMS:
        return SmsMessage(to, _TEXT)
    if transport is Transport.MAIL:
        return MailMessage(to, "Test", _TEXT)
    parameters = dict(item.partition("=")[::2] for item in to.split(";"))
    try:
        provider, param, prid = (unquote(parameters[f"pn-{name}"]) for name in ("provider", "param", "prid"))
    except KeyError as missing:
        raise ConfigurationError(
            f"{missing.args[0]} is missing. A push address is written pn-provider=...;pn-param=...;pn-prid=..., "
            "as in the Contact of a REGISTER."
        ) from None
    return PushMessage(provider, param, prid, {"token": "test"})
