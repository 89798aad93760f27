"""Contract of a notification backend: the names that a plugin imports.

A backend makes one attempt to send and reports the outcome. It does not retry, time out, limit, count or log: the
server does.
"""

from flexiapi.plugin.backend import (
    ANY_PROVIDER,
    Backend,
    BackendConfig,
    DataPath,
    MailBackend,
    PushBackend,
    SmsBackend,
)
from flexiapi.plugin.connections import http_client, retry_after, tls_context, unreachable
from flexiapi.plugin.messages import Attachment, Channel, MailMessage, PushMessage, PushPurpose, SmsMessage
from flexiapi.plugin.outcomes import (
    DeliveryError,
    Permanent,
    Receipt,
    RecipientDeferred,
    RecipientRefused,
    Retryable,
    Throttled,
    Unregistered,
)
from flexiapi.plugin.push_identity import normalised_url, usual_identity
from flexiapi.plugin.reports import Callback, DeliveryReport, ReportedStatus, Unverified

__all__ = [
    "ANY_PROVIDER",
    "Attachment",
    "Backend",
    "BackendConfig",
    "Callback",
    "Channel",
    "DataPath",
    "DeliveryError",
    "DeliveryReport",
    "MailBackend",
    "MailMessage",
    "Permanent",
    "PushBackend",
    "PushMessage",
    "PushPurpose",
    "Receipt",
    "RecipientDeferred",
    "RecipientRefused",
    "ReportedStatus",
    "Retryable",
    "SmsBackend",
    "SmsMessage",
    "Throttled",
    "Unregistered",
    "Unverified",
    "http_client",
    "normalised_url",
    "retry_after",
    "tls_context",
    "unreachable",
    "usual_identity",
]
