"""Base classes of backends and of their settings."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from flexiapi.plugin.messages import Channel, MailMessage, PushMessage, SmsMessage
from flexiapi.plugin.outcomes import Receipt
from flexiapi.plugin.push_identity import usual_identity
from flexiapi.plugin.reports import Callback, DeliveryReport


class BackendConfig(BaseModel):
    """Base class of a backend's settings: describe every field, make secrets `SecretStr`; unknown keys are refused.

    The names `backend`, `order` and `prefixes` are reserved. A mail backend's `from_address`, `from_name`, `reply_to`
    and `bounce_address` default to those of `[mail]`.
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
    once on the event loop before anything else, and `close` at the end. When a file that the settings name changes, it
    starts a new instance, and closes this one when nothing is under way in it (see `files`).
    """

    Config: ClassVar[type[Any]]

    def __init__(self, config: C) -> None:
        self.config = config

    async def start(self) -> None:
        """Open the resources that sending needs: clients, pools, keys. A failure stops the server's start."""

    @property
    def concurrency(self) -> int | None:
        """The messages that it can have under way at once in one lane; `None` for `delivery.concurrent`.

        Further messages wait in the server, which is never held against the provider, so a backend has no queue of its
        own, and as many connections as this. It may fall when the provider turns out to take fewer, and rise again.
        """
        return None

    def lane(self, message: M) -> str:  # noqa: ARG002 - for backends with several
        """Return which of several servers, projects or environments the message goes to, by a name from the settings.

        Each lane has its own queue and its own rest after failures.
        """
        return ""

    @abstractmethod
    async def send(self, message: M) -> Receipt:
        """Send once. Raises a `DeliveryError`. May be cancelled at any await."""

    async def check(self) -> None:
        """Check without sending that a message could be sent. Raises a `DeliveryError` that says what to fix."""

    def warnings(self) -> Sequence[str]:
        """Return what works but is probably a mistake in the settings: sentences for operators, without secrets.

        They are logged at the start and shown by `flexiapi check`. Called before or after `start`, without I/O.
        """
        return ()

    async def credit(self) -> float | None:
        """Return what is left to spend at the provider, in its own unit, or `None` if it does not tell.

        It is asked every few minutes, for the metrics. Raises a `DeliveryError`.
        """
        return None

    async def read_reports(self, callback: Callback) -> Sequence[DeliveryReport]:
        """Read the delivery reports in a POST or GET of `/callbacks/LABEL`; a backend without this takes none.

        Anybody can make such a request: verify first, by the provider's signature or a secret, that it is the
        provider's. Raises `Unverified` if not.
        """
        raise NotImplementedError

    def files(self) -> Collection[Path]:
        """Return the files that `start` reads: when one changes, a new instance is started in place of this one.

        By default those of all settings of the type Path.
        """
        return [path for name in type(self.config).model_fields for path in _paths(getattr(self.config, name))]

    async def close(self) -> None:
        """Close the resources that `start` opened."""


def _paths(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        yield from _paths(tuple(value.values()))
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from _paths(one)


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
    """Sends SMS, and calls people to read a text to them if `channels` says so."""

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels that it can send by as it is configured."""
        return frozenset({"text"})


class MailBackend(Backend[C, MailMessage]):
    """Sends mails. With `takes_attachments` also their attachments; without, it gets mails that have none."""

    takes_attachments: ClassVar[bool] = False
