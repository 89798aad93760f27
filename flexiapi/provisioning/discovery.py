"""Installed provisioning hooks, found by entry points, and calls of them that fail as a whole."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from flexiapi.errors import ConfigurationError, ProvisioningFailed
from flexiapi.model import Account, Password
from flexiapi.observing import log
from flexiapi.provisioning.document import Document, Section
from flexiapi.provisioning.hooks import GROUP, ProvisioningHook, ProvisioningRequest

S = TypeVar("S")
T = TypeVar("T")


class Hooks:
    """The hooks in use, called in the order of the settings."""

    def __init__(self, hooks: Mapping[str, ProvisioningHook] | None = None) -> None:
        used = {} if hooks is None else dict(hooks)
        self._proxy = [(name, hook.proxy) for name, hook in used.items() if _defines(hook, "proxy")]
        self._auth = [(name, hook.auth) for name, hook in used.items() if _defines(hook, "auth")]
        self._sections = [
            (name, hook.additional_section) for name, hook in used.items() if _defines(hook, "additional_section")
        ]

    @property
    def add_sections(self) -> bool:
        """True if a document without account depends on the request."""
        return bool(self._sections)

    def proxy(self, section: Section, request: ProvisioningRequest, account: Account) -> None:
        """Let the hooks add to the account's proxy. Raises `ProvisioningFailed`."""
        _call(self._proxy, section, request, account)

    def auth(self, section: Section, request: ProvisioningRequest, password: Password) -> None:
        """Let the hooks add to one credential. Raises `ProvisioningFailed`."""
        _call(self._auth, section, request, password)

    def additional_section(self, document: Document, request: ProvisioningRequest, account: Account | None) -> None:
        """Let the hooks add to the document. Raises `ProvisioningFailed`."""
        _call(self._sections, document, request, account)


def load(names: Iterable[str]) -> Hooks:
    """Load the installed hooks of these names and import no other plugin. Raises `ConfigurationError`."""
    names = tuple(names)
    if not names:
        return Hooks()
    installed: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        installed.setdefault(point.name, []).append(point)
    return Hooks({name: _hook(_only(name, installed)) for name in names})


def _only(name: str, installed: Mapping[str, Sequence[EntryPoint]]) -> EntryPoint:
    points = installed.get(name, ())
    if not points:
        known = ", ".join(sorted(installed)) or "none"
        raise ConfigurationError(f"account.provisioning_hooks: no hook {name!r} is installed (installed: {known})")
    if len(points) > 1:
        owners = " and ".join(sorted(point.dist.name if point.dist else point.value for point in points))
        raise ConfigurationError(f"account.provisioning_hooks: {name!r} is installed by {owners}; remove one of them")
    return points[0]


def _hook(point: EntryPoint) -> ProvisioningHook:
    try:
        made = point.load()
        hook = made() if isinstance(made, type) else made
    except Exception as error:
        raise ConfigurationError(f"provisioning hook {point.name!r} ({point.value}) does not load: {error}") from error
    if not isinstance(hook, ProvisioningHook):
        raise ConfigurationError(f"provisioning hook {point.name!r} ({point.value}) is not a ProvisioningHook")
    for method in (hook.proxy, hook.auth, hook.additional_section):
        if inspect.iscoroutinefunction(method):
            raise ConfigurationError(f"provisioning hook {point.name!r}: {method.__name__} must not be a coroutine")
    return hook


def _defines(hook: ProvisioningHook, method: str) -> bool:
    return getattr(type(hook), method) is not getattr(ProvisioningHook, method)


def _call(
    hooks: Sequence[tuple[str, Callable[[T, ProvisioningRequest, S], None]]],
    node: T,
    request: ProvisioningRequest,
    subject: S,
) -> None:
    for name, hook in hooks:
        try:
            hook(node, request, subject)
        except Exception as error:
            log.exception("a provisioning hook failed", hook=name)
            raise ProvisioningFailed from error
