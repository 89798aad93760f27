"""Base classes of backends and of their settings."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from flexiapi.plugin.messages import MailMessage, PushMessage, SmsMessage
from flexiapi.plugin.outcomes import Receipt
from flexiapi.plugin.push_identity import usual_identity
from flexiapi.plugin.reports import Callback, DeliveryReport


class BackendConfig(BaseModel):
    """Base class of a backend's settings: describe every field, make secrets `SecretStr`; unknown keys are refused.

    The names `backend`, `order` and `prefixes` are reserved. A mail backend's `from_address` and `from_name` default to
    those of `[mail]`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _in_data_folder(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("data_path", "."), path)


DataPath = Annotated[Path, AfterValidator(_in_data_folder)]
"""A setting that names a file; a relative path, also a default one, is in the server's data folder."""

ANY_PROVIDER = "*"
"""In `providers`: every `pn_provider`."""


C = TypeVar("C", bound=BackendConfig)
M = TypeVar("M")


class Backend(ABC, Generic[C, M]):
    """Common base of the three kinds of backend; derive from one of them, not from this.

    A subclass has a `Config` (a `BackendConfig`). The server makes one instance per configured label and calls `start`
    once on the event loop before anything else, and `close` at the end.
    """

    Config: ClassVar[type[Any]]

    def __init__(self, config: C) -> None:
        self.config = config

    async def start(self) -> None:
        """Open the resources that sending needs: clients, pools, keys. A failure stops the server's start."""

    @abstractmethod
    async def send(self, message: M) -> Receipt:
        """Send once. Raises `Retryable`, `Permanent` or `Unregistered`. May be cancelled at any await."""

    async def check(self) -> None:
        """Check without sending that a message could be sent. Raises a `DeliveryError` that says what to fix."""

    async def read_reports(self, callback: Callback) -> Sequence[DeliveryReport]:
        """Read the delivery reports in a request to `POST /callbacks/LABEL`; a backend without this takes none.

        Anybody can make such a request: verify first, by the provider's signature or a secret, that it is the
        provider's. Raises `Unverified` if not.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close the resources that `start` opened."""


class PushBackend(Backend[C, PushMessage]):
    """Sends push notifications for the `pn_provider` values in `providers`; `ANY_PROVIDER` means all of them."""

    providers: ClassVar[frozenset[str]] = frozenset()

    def device_identity(self, message: PushMessage) -> str:
        """Return the one spelling of the device that a message is for, whatever its parameters are written like.

        Messages to one device are limited by it. Two addresses that the provider delivers to one device have the same
        identity, and two devices never have. Unless overridden, it is that of APNs, FCM or UnifiedPush, and for other
        providers the three parameters as they are. Raises `Permanent` for an address that `send` would refuse.
        """
        return usual_identity(message)


class SmsBackend(Backend[C, SmsMessage]):
    """Sends SMS."""


class MailBackend(Backend[C, MailMessage]):
    """Sends mails."""
