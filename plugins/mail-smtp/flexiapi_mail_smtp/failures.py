"""Translation of SMTP failures, without the server's texts, because they quote addresses."""

import ssl

from aiosmtplib import SMTPException, SMTPNotSupported, SMTPRecipientsRefused, SMTPResponseException

from flexiapi.plugin import DeliveryError, Permanent, RecipientDeferred, RecipientRefused, Retryable, Throttled
from flexiapi_mail_smtp.answers import Answer
from flexiapi_mail_smtp.config import SmtpConfig

# Too many mails at once from one mailbox: the next moment is better.
_TOO_MANY_AT_ONCE = 432
_MOMENT = 1.0


def explained(error: Exception, config: SmtpConfig) -> DeliveryError:
    """Return the contract's error for one of the library."""
    if isinstance(error, SMTPRecipientsRefused):
        return explained(error.recipients[0], config)
    if isinstance(error, SMTPResponseException):
        return _answered(Answer.of(error), config)
    # The library has no exception class for a server that lacks STARTTLS or AUTH.
    if isinstance(error, SMTPNotSupported) or type(error) is SMTPException:
        return Permanent("the server does not offer what is configured: look at encryption, username, and the address")
    untrusted = _untrusted(error)
    if untrusted is not None:
        problem = untrusted.verify_message
        return Retryable(f"the server's certificate is not trusted ({problem}): look at host and ca_file")
    if isinstance(error, OSError | SMTPException):
        return Retryable(f"{config.server} cannot be reached, or broke off ({type(error).__name__})")
    return Permanent("this is not a mail address")


def _answered(answer: Answer, config: SmtpConfig) -> DeliveryError:
    if answer.is_about_recipient:
        if answer.is_passing or answer.is_about_full_mailbox:
            return RecipientDeferred(f"the server does not take mails for the recipient now: answer {answer}")
        return RecipientRefused(f"the server refuses the recipient: answer {answer}")
    text = f"{_subject(answer, config)}: answer {answer}"
    if answer.code == _TOO_MANY_AT_ONCE:
        return Throttled(f"{text}: look at connections", retry_after=_MOMENT)
    if answer.is_about_rate:
        return Throttled(text)
    return Retryable(text) if answer.is_passing else Permanent(f"{text}{_hint(answer)}")


def _subject(answer: Answer, config: SmtpConfig) -> str:
    if answer.stage == "AUTH":
        return f"the server refuses username and {'access token' if config.token_url else 'password'}"
    if answer.stage == "MAIL" and not answer.is_about_sign_in:
        return "the server refuses the sender: look at from_address and bounce_address"
    return "the server does not take the mail"


def _hint(answer: Answer) -> str:
    advice = answer.advice
    return f": {advice}" if advice else ""


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
