"""Translation of SMTP failures, without the server's texts, because they quote addresses."""

import re
import ssl

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from flexiapi.plugin import DeliveryError, Permanent, Retryable

_ENHANCED_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")

_PERMANENT = 500


def explained(error: Exception, server: str) -> DeliveryError:
    """Return the contract's error for one of the library; `server` is host and port."""
    if isinstance(error, SMTPRecipientsRefused):
        return explained(error.recipients[0], server)
    if isinstance(error, SMTPResponseException):
        return _by_code(error)
    # The library has no exception class for a server that lacks STARTTLS or AUTH.
    if isinstance(error, SMTPNotSupported) or type(error) is SMTPException:
        return Permanent("the server does not offer what is configured: look at encryption, username, and the address")
    untrusted = _untrusted(error)
    if untrusted is not None:
        problem = untrusted.verify_message
        return Retryable(f"the server's certificate is not trusted ({problem}): look at host and ca_file")
    if isinstance(error, OSError | SMTPException):
        return Retryable(f"{server} cannot be reached, or broke off ({type(error).__name__})")
    return Permanent("this is not a mail address")


def _by_code(error: SMTPResponseException) -> DeliveryError:
    enhanced = _ENHANCED_STATUS.match(error.message)
    answer = f"{error.code} {enhanced.group()}" if enhanced else f"{error.code}"
    text = f"{_subject(error)}: answer {answer}"
    return Permanent(text) if error.code >= _PERMANENT else Retryable(text)


def _subject(error: SMTPResponseException) -> str:
    if isinstance(error, SMTPAuthenticationError):
        return "the server refuses username and password"
    if isinstance(error, SMTPSenderRefused):
        return "the server refuses the sender: look at from_address"
    return "the server does not take the mail"


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
