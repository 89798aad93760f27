"""Every failure that a caller may be told of, each with its status and message.

FlexiapiError
 +- ApiError                      has an HTTP status and a message for the caller
     +- ProvisioningFailed    500
     +- MalformedRequest      400
     +- SignInRequired        401   (with challenges)
     +- Forbidden             403 -+- AdminRequired, ActivationExpired, ...
     +- NotFound              404 -+- RecordNotFound, RouteNotFound
     +- MethodNotAllowed      405
     +- BodyTooLarge          413
     +- ValidationFailed      422   (with the failing fields)
     +- TooManyRequests       429   (with Retry-After)
     +- Unavailable           503 -+- StoreUnavailable, DeliveryFailed, RegistrarUnavailable, ...
 +- ConfigurationError            stops the start; its text says what to do
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

FieldErrors = dict[str, list[str]]


class Violations(ValueError):
    """The rules that one value breaks; `{field}` in a text stands for the parameter's name."""

    def __init__(self, *texts: str) -> None:
        super().__init__("; ".join(texts))
        self.texts = texts


class FlexiapiError(Exception):
    """The root of them all."""


class ConfigurationError(FlexiapiError):
    """The server cannot start as configured; the text says what to change."""


class ChangesLost(FlexiapiError):
    """The store no longer knows where its changes were read to: that is too long ago, or was another database."""


class ChangesUnsupported(FlexiapiError):
    """The store tells no changes: a single MongoDB that is no replica set."""


class ApiError(FlexiapiError):
    """A failure that the caller is told of. `message` is shown to users; it never says what is secret."""

    status: ClassVar[int] = 500
    message: str = "The server failed. Try again later."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        if message is not None:
            self.message = message

    def headers(self) -> Sequence[tuple[str, str]]:
        """Headers that the answer carries beside the body."""
        return ()

    def body(self) -> dict[str, object]:
        """The JSON object that the answer carries."""
        return {"message": self.message}


class ProvisioningFailed(ApiError):
    """The base file is malformed or a hook failed; the log says where. Half a configuration would be worse."""

    message = "The configuration of devices is out of order. Try again later."


class MalformedRequest(ApiError):
    """The body is not the JSON object that it claims to be."""

    status = 400
    message = "The body is not a JSON object."


class SignInRequired(ApiError):
    """Nobody is signed in, or not rightly."""

    status = 401
    message = "Sign in with an API key or with DIGEST."

    def __init__(self, message: str | None = None, challenges: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.challenges = tuple(challenges)

    def headers(self) -> Sequence[tuple[str, str]]:
        """One `WWW-Authenticate` line per algorithm."""
        return [("WWW-Authenticate", challenge) for challenge in self.challenges]


class Forbidden(ApiError):
    """Known, and not allowed."""

    status = 403
    message = "This is not allowed."


class AdminRequired(Forbidden):
    """The endpoint is for activated administrators."""

    message = "Only an activated administrator may do this."


class CrossSiteRequest(Forbidden):
    """Another site made the browser send a request with the API key cookie."""

    message = "Requests that another site starts are refused."


class ActivationExpired(Forbidden):
    """The code was right, and its time is over."""

    message = "The time to activate this account is over. Ask for a new code."


class NoExternalAccountLeft(Forbidden):
    """Each new account takes an external account, and none is free."""

    message = "No external account is left for a new account."


class NoDtmfProtocol(Forbidden):
    """Actions need an account with a DTMF protocol."""

    message = "This account has no DTMF protocol, so it has no actions."


class AlreadyAttached(Forbidden):
    """What should be added is there already."""

    message = "This is attached to the account already."


class NotAttached(Forbidden):
    """What should be removed is not there."""

    message = "This is not attached to the account."


class WrongCode(Forbidden):
    """The code does not confirm the change; the pending change is over."""

    message = "The code is wrong. Ask for a new one."


class LastAdmin(Forbidden):
    """The change would leave nobody who can administer the server."""

    message = "This is the last activated administrator. Make another one first."


class CreationTokenRefused(Forbidden):
    """The device has a creation token already, or has had too many."""

    message = "A creation token was sent to this device already. Wait for it, or try again later."


class NotFound(ApiError):
    """There is no such thing, or the caller may not know of it."""

    status = 404
    message = "Not found."


class RecordNotFound(NotFound):
    """One text for every record and refusal, so that causes cannot be told apart; people read it after a wrong PIN."""

    message = "This does not exist, or the code or token is not valid."


class RouteNotFound(NotFound):
    """No endpoint has this path."""

    message = "There is no such endpoint. GET /api lists them."


class MethodNotAllowed(ApiError):
    """The path exists, with other methods."""

    status = 405
    message = "This method is not allowed here."

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"This method is not allowed here. Use {', '.join(allowed)}.")
        self.allowed = tuple(allowed)

    def headers(self) -> Sequence[tuple[str, str]]:
        """The methods that the path has."""
        return [("Allow", ", ".join(self.allowed))]


class BodyTooLarge(ApiError):
    """The body exceeds the server's limit."""

    status = 413
    message = "The body is too large."


class ValidationFailed(ApiError):
    """Parameters are wrong: `errors` has, for each failing one, what is wrong with it."""

    status = 422
    message = "The parameters are invalid."

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        texts = [text for of_field in errors.values() for text in of_field]
        more = len(texts) - 1
        suffix = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
        super().__init__(texts[0] + suffix)
        self.errors = {name: list(of_field) for name, of_field in errors.items()}

    def body(self) -> dict[str, object]:
        """The first text, and all texts by field."""
        return {"message": self.message, "errors": self.errors}


class TooManyRequests(ApiError):
    """A limit is reached; `retry_after` is in seconds."""

    status = 429
    message = "Too many requests. Wait before you try again."

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} s.")
        self.retry_after = retry_after

    def headers(self) -> Sequence[tuple[str, str]]:
        """When to come back."""
        return [("Retry-After", str(self.retry_after))]


class Unavailable(ApiError):
    """Something that the answer needs is away for now."""

    status = 503
    message = "The service is not available now. Try again later."
    retry_after: ClassVar[int] = 5

    def headers(self) -> Sequence[tuple[str, str]]:
        """When to come back."""
        return [("Retry-After", str(self.retry_after))]


class StoreUnavailable(Unavailable):
    """MongoDB does not answer. `reason` is for operators: callers are not told of hosts."""

    message = "The database is not available now. Try again later."

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason


class DeliveryFailed(Unavailable):
    """A push, SMS or mail was not accepted by any backend."""

    message = "The message could not be sent now. Try again later."


class DeviceUnregistered(DeliveryFailed):
    """The push address is dead; another try cannot help."""

    message = "This device can no longer be reached by push."


class RegistrarUnavailable(Unavailable):
    """The SIP server's registrar does not answer."""

    message = "The registrar is not available now. Try again later."


class SipUnavailable(Unavailable):
    """The SIP proxy or the linphone-daemon does not answer."""

    message = "The SIP server is not available now. Try again later."


class ReplicaUnavailable(Unavailable):
    """The change is stored but not yet in the SIP server's replica; it heals by itself."""

    message = "The SIP server does not know of the change yet. Try again later."
