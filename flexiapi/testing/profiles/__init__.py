"""PUBLIC: profiles of providers: gateways that behave as one provider does, with its answers, limits and habits."""

from flexiapi.testing.profiles.mail_server import MailServer
from flexiapi.testing.profiles.ovh import Ovh
from flexiapi.testing.profiles.token_endpoint import TokenEndpoint
from flexiapi.testing.profiles.twilio import SpokenCall, Twilio

__all__ = [
    "MailServer",
    "Ovh",
    "SpokenCall",
    "TokenEndpoint",
    "Twilio",
]
