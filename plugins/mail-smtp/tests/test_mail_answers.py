"""Answers of servers, each about the recipient, about this client, or about the server itself."""

import pytest
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)

from flexiapi.plugin import Permanent, RecipientDeferred, RecipientRefused, Retryable, Throttled
from flexiapi_mail_smtp import SmtpMail
from flexiapi_mail_smtp.failures import explained

ALICE = "relay.policy@example.org"
CONFIG = SmtpMail.Config(host="smtp.example.org", username="flexiapi", password="s3cret")

AT = {
    "CONNECT": SMTPConnectResponseError,
    "AUTH": SMTPAuthenticationError,
    "MAIL": lambda code, text: SMTPSenderRefused(code, text, "server@example.org"),
    "RCPT": lambda code, text: SMTPRecipientsRefused([SMTPRecipientRefused(code, text, ALICE)]),
    "DATA": SMTPDataError,
}

ANSWERS = [
    # Greylisted, busy, full: the recipient, later.
    ("RCPT", 450, f"4.7.1 <{ALICE}>: Recipient address rejected: Greylisted", RecipientDeferred),
    ("RCPT", 450, "4.2.0 Greylisted, see https://example.org/", RecipientDeferred),
    ("RCPT", 450, "4.2.1 The user is receiving mail too quickly", RecipientDeferred),
    ("RCPT", 452, "4.2.2 The email account is over quota", RecipientDeferred),
    ("RCPT", 552, "5.2.2 Mailbox full", RecipientDeferred),
    ("RCPT", 552, "Mailbox full", RecipientDeferred),
    ("RCPT", 450, "4.1.1 unverified address", RecipientDeferred),
    ("RCPT", 450, "4.1.2 Recipient address rejected: Domain not found", RecipientDeferred),
    ("RCPT", 451, "4.4.3 Temporary failure in name resolution", RecipientDeferred),
    ("RCPT", 451, "Temporary local problem - please try later", RecipientDeferred),
    ("RCPT", 450, "try again", RecipientDeferred),
    ("RCPT", 451, "4.7.0 Greylisting in action", RecipientDeferred),
    ("DATA", 451, "4.7.1 Try again later", RecipientDeferred),
    ("DATA", 452, "4.2.2 Over quota", RecipientDeferred),
    ("DATA", 450, "4.2.0 Greylisted", RecipientDeferred),
    ("DATA", 450, "mailbox busy", RecipientDeferred),
    # Unknown, disabled, or closed to us: the recipient, for good.
    ("RCPT", 550, f"5.1.1 <{ALICE}>: User unknown", RecipientRefused),
    ("RCPT", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", RecipientRefused),
    ("RCPT", 556, "5.1.10 Recipient address has null MX", RecipientRefused),
    ("RCPT", 553, "5.1.3 not a valid RFC 5321 address", RecipientRefused),
    ("RCPT", 550, "5.2.1 The email account is disabled", RecipientRefused),
    ("RCPT", 550, "5.2.0 mailbox unavailable", RecipientRefused),
    ("RCPT", 550, "5.4.1 Recipient address rejected: Access denied", RecipientRefused),
    ("RCPT", 550, "5.7.129 restricted to certain senders", RecipientRefused),
    ("RCPT", 550, f"<{ALICE}>: no such user", RecipientRefused),
    ("RCPT", 550, "Unrouteable address", RecipientRefused),
    ("DATA", 550, "5.1.1 User unknown", RecipientRefused),
    ("DATA", 550, "5.2.1 mailbox disabled", RecipientRefused),
    # This client, and its configuration.
    ("RCPT", 554, f"5.7.1 <{ALICE}>: Relay access denied", Permanent),
    ("RCPT", 550, "5.7.1 Unable to relay", Permanent),
    ("RCPT", 550, "relay not permitted", Permanent),
    ("RCPT", 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Permanent),
    ("RCPT", 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example", Permanent),
    ("RCPT", 550, "Sender verify failed", Permanent),
    ("RCPT", 550, "5.1.8 Sender address rejected: Domain not found", Permanent),
    ("RCPT", 550, "5.1.0 Sender address rejected: User unknown", Permanent),
    ("RCPT", 504, "5.5.2 <host>: Helo command rejected: need fully-qualified hostname", Permanent),
    ("RCPT", 530, "5.7.0 Authentication required", Permanent),
    ("MAIL", 530, "5.7.57 Client not authenticated to send mail", Permanent),
    ("MAIL", 550, "5.1.1 unknown", Permanent),
    ("DATA", 554, "5.2.252 SendAsDenied", Permanent),
    ("DATA", 554, "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException", Permanent),
    ("DATA", 554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Permanent),
    ("DATA", 554, "5.7.1 looks like spam", Permanent),
    ("DATA", 550, "5.7.26 unauthenticated sender", Permanent),
    ("DATA", 550, "High probability of spam", Permanent),
    ("AUTH", 535, "5.7.8 Username and Password not accepted", Permanent),
    ("CONNECT", 554, "5.7.1 No service for you", Permanent),
    # Its rate.
    ("RCPT", 451, "4.7.500 Server busy", Throttled),
    ("RCPT", 421, "4.7.28 unusual rate of mail", Throttled),
    ("DATA", 421, "4.7.0 temporarily deferred", Throttled),
    ("MAIL", 451, "4.7.1 too many messages", Throttled),
    ("DATA", 432, "4.3.2 Concurrent connections limit exceeded", Throttled),
    # The server.
    ("CONNECT", 421, "4.7.0 Too many connections", Retryable),
    ("RCPT", 421, "4.3.0 Temporary system problem", Retryable),
    ("RCPT", 451, "4.3.0 Temporary lookup failure", Retryable),
    ("RCPT", 450, "4.1.8 Sender address rejected: Domain not found", Retryable),
    ("RCPT", 452, "4.5.3 Too many recipients", Retryable),
    ("RCPT", 451, "4.4.2 Timeout", Retryable),
    ("MAIL", 450, "try again", Retryable),
    ("MAIL", 452, "4.3.1 Insufficient system storage", Retryable),
    ("DATA", 451, "Requested action aborted: local error in processing", Retryable),
    ("DATA", 452, "4.3.1 disk full", Retryable),
    ("AUTH", 454, "4.7.0 Temporary authentication failure", Retryable),
]


@pytest.mark.parametrize(("command", "code", "text", "kind"), ANSWERS)
def test_an_answer_tells_whom_it_is_about(command, code, text, kind):
    error = explained(AT[command](code, text), CONFIG)
    assert type(error) is kind
    assert f"answer {code}" in error.reason
    told = text.split(maxsplit=1)[1] if text[:1] in "45" else text
    assert told not in error.reason
    assert ALICE not in error.reason


ADVICE = [
    ("AUTH", 535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", "SMTP AUTH is disabled"),
    ("AUTH", 550, "5.7.30 Basic authentication is not supported", "set token_url"),
    ("AUTH", 534, "5.7.9 Application-specific password required", "password for applications"),
    ("MAIL", 530, "5.7.57 Client not authenticated", "set username"),
    ("MAIL", 530, "Authentication required", "set username"),
    ("RCPT", 550, "5.7.1 Unable to relay", "whether the server relays for this host"),
    ("RCPT", 504, "5.5.2 need fully-qualified hostname", "look at hello_name"),
    ("DATA", 550, "5.7.60 Client does not have permissions to send as this sender", "may not send as from_address"),
    ("DATA", 554, "5.2.2 mailbox full; STOREDRV.Submission.Exception", "the mailbox of username may be full"),
    ("DATA", 432, "4.3.2 Concurrent connections limit exceeded", "look at connections"),
]


@pytest.mark.parametrize(("command", "code", "text", "advice"), ADVICE)
def test_a_refusal_of_this_client_says_what_to_fix(command, code, text, advice):
    assert advice in explained(AT[command](code, text), CONFIG).reason


def test_a_limit_of_connections_is_tried_again_soon():
    assert explained(AT["DATA"](432, "4.3.2 thread limit exceeded"), CONFIG).retry_after == 1.0
