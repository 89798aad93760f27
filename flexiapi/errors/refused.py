"""Failures of requests that cannot be answered as they are: statuses 400 to 429, and 500."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from flexiapi.errors.base import ApiError


class ProvisioningFailed(ApiError):
    """The base file is malformed or a hook failed, as logged. An incomplete configuration would be worse."""

    message = "The configuration of devices is out of order. Try again later."


class MalformedRequest(ApiError):
    """The body is not the JSON object that it claims to be."""

    status = 400
    message = "The body is not a JSON object."


class SignInRequired(ApiError):
    """Authentication is missing or invalid."""

    status = 401
    message = "Sign in with an API key or with DIGEST."

    def __init__(self, message: str | None = None, challenges: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.challenges = tuple(challenges)

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return one `WWW-Authenticate` header per algorithm."""
        return [("WWW-Authenticate", challenge) for challenge in self.challenges]


class SessionRequired(ApiError):
    """The page needs a session; there is none, or it has ended."""

    status = 401
    message = "Sign in to see this page."


class Forbidden(ApiError):
    """The caller is authenticated but not allowed to do this."""

    status = 403
    message = "This is not allowed."


class AdminRequired(Forbidden):
    """The endpoint is for activated administrators."""

    message = "Only an activated administrator may do this."


class KeyRefused(Forbidden):
    """A named API key may not do this: it lacks the scope, or no key has it."""

    message = "A named API key cannot do this. Sign in as an account."

    @classmethod
    def without(cls, scopes: Iterable[str]) -> Self:
        """Return the refusal of a key that has none of these scopes."""
        return cls(f"This API key cannot do this: it needs the scope {' or '.join(scopes)}.")


class NamedKeysFull(Forbidden):
    """The service has as many named API keys as it may have."""

    message = "This service cannot have more API keys. Revoke those that are no longer used."


class AccountBlocked(Forbidden):
    """An administrator blocked the account; only its owner, by a right password or key, is told."""

    message = "Account blocked"


class OwnBlock(Forbidden):
    """Administrators would lock themselves out."""

    message = "You cannot block your own account. Another administrator can."


class NoEmailConfigured(Forbidden):
    """The account has no address that a mail could go to."""

    message = "No email configured"


class ConfirmationRequired(Forbidden):
    """The account was never activated: its session may only enter the code."""

    message = "Enter the code that was sent to you first."


class FreshCheckRequired(Forbidden):
    """The owner of the session must prove anew who it is."""

    message = "Enter your password once more, to confirm that it is you."


class FormOutdated(Forbidden):
    """A form without the token of its page in this browser."""

    message = "This page was open for too long, or in another session. Check the form and send it again."


class CookiesNeeded(Forbidden):
    """A form of a page without the cookie that came with the page."""

    message = "Your browser sent no cookie, which this page needs. Allow cookies, and send the form again."


class CrossSiteRequest(Forbidden):
    """Another site made the browser send a request with the API key cookie."""

    message = "With a cookie, changes are made by pages of this site only. Programs send the key as header x-api-key."


class PrefetchRefused(Forbidden):
    """A browser or scanner prefetches an address whose GET has effects."""

    message = "This address must not be prefetched."


class ActivationExpired(Forbidden):
    """The code was right but has expired."""

    message = "The time to activate this account is over. Ask for a new code."


class SpaceFull(Forbidden):
    """The service has as many accounts as its quota allows."""

    message = "This action is unauthorized. This service cannot have more accounts."


class CountryNotAllowed(Forbidden):
    """The settings do not allow numbers of the country, so that administrators cannot switch it on."""

    message = "The settings of this service do not allow phone numbers of this country."


class NoExternalAccountLeft(Forbidden):
    """Each new account takes an external account, and none is free."""

    message = "No external account is left for a new account."


class ExternalAccountUsed(Forbidden):
    """Only free external accounts can be removed from the pool."""

    message = "This external account is used by an account, so it stays."


class NoDtmfProtocol(Forbidden):
    """Actions need an account with a DTMF protocol."""

    message = "This account has no DTMF protocol, so it has no actions."


class AlreadyAttached(Forbidden):
    """The thing to attach is already attached."""

    message = "This is attached to the account already."


class NotAttached(Forbidden):
    """The thing to detach is not attached."""

    message = "This is not attached to the account."


class WrongCode(Forbidden):
    """The code does not confirm the change; the pending change is over."""

    message = "The code is wrong. Ask for a new one."


class CodeRefused(Forbidden):
    """A code does not open what it was typed for, for whatever reason."""

    message = "This code is wrong, was used, or is too old. Take the one in the newest message, or ask for another."


class NotLetIn(Forbidden):
    """The browser shows a QR code that no other device has accepted yet."""

    message = "The other device has not let this browser in yet. Scan the QR code first."


class LastAdmin(Forbidden):
    """The change would leave the server without an administrator."""

    message = "This is the last activated administrator. Make another one first."


class CreationTokenRefused(Forbidden):
    """The device already has a creation token, or has had too many."""

    message = "A creation token was sent to this device already. Wait for it, or try again later."


class NotFound(ApiError):
    """The requested thing does not exist, or the caller may not know of it."""

    status = 404
    message = "Not found."


class RecordNotFound(NotFound):
    """A missing record or a refused code; the same text for all causes, so that they cannot be told apart."""

    message = "This does not exist, or the code or token is not valid."


class RouteNotFound(NotFound):
    """The path belongs to no endpoint."""

    message = "There is no such endpoint. GET /api lists them."


class MethodNotAllowed(ApiError):
    """The path exists, with other methods."""

    status = 405
    message = "This method is not allowed here."

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"This method is not allowed here. Use {', '.join(allowed)}.")
        self.allowed = tuple(allowed)

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the allowed methods."""
        return [("Allow", ", ".join(self.allowed))]


class BodyTooLarge(ApiError):
    """The body exceeds the server's limit."""

    status = 413
    message = "The body is too large."


class ValidationFailed(ApiError):
    """Parameters are invalid: `errors` has the texts by field."""

    status = 422
    message = "The parameters are invalid."

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        texts = [text for of_field in errors.values() for text in of_field]
        more = len(texts) - 1
        suffix = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
        super().__init__(texts[0] + suffix)
        self.errors = {name: list(of_field) for name, of_field in errors.items()}

    def body(self) -> dict[str, object]:
        """Return the first text, and all texts by field."""
        return {"message": self.message, "errors": self.errors}


class WrongCredentials(ValidationFailed):
    """A sign-in with a password failed; the same text for all causes, so that they cannot be told apart."""

    def __init__(self) -> None:
        super().__init__({"username": ["The user name or the password is wrong."]})


class TooManyRequests(ApiError):
    """A limit is reached; `retry_after` is in seconds."""

    status = 429
    message = "Too many requests. Wait before you try again."

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} s.")
        self.retry_after = retry_after

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the time to wait."""
        return [("Retry-After", str(self.retry_after))]


class RecoveryTokenTooSoon(TooManyRequests):
    """The device was sent a recovery token a short time ago."""

    message = "Last token requested too recently"

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.message = type(self).message
