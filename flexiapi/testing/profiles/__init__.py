"""PUBLIC: profiles of providers: gateways that behave as one provider does, with its answers, limits and habits."""

from flexiapi.testing.profiles.apns import Apns
from flexiapi.testing.profiles.fcm import Fcm
from flexiapi.testing.profiles.mail_server import MailServer
from flexiapi.testing.profiles.ntfy import Ntfy
from flexiapi.testing.profiles.ovh import Ovh
from flexiapi.testing.profiles.pusher_program import PusherProgram
from flexiapi.testing.profiles.token_endpoint import TokenEndpoint
from flexiapi.testing.profiles.twilio import SpokenCall, Twilio
from flexiapi.testing.profiles.web_push import WebPushReceiver, verified_claims

__all__ = [
    "Apns",
    "Fcm",
    "MailServer",
    "Ntfy",
    "Ovh",
    "PusherProgram",
    "SpokenCall",
    "TokenEndpoint",
    "Twilio",
    "WebPushReceiver",
    "verified_claims",
]
