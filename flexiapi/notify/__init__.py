"""Delivery of messages through the configured notification backends; services use the `Notifier` only."""

from flexiapi.notify.assembly import configured_backends
from flexiapi.notify.discovery import InstalledBackend, Transport, installed_backends
from flexiapi.notify.notifier import Checked, Notifier
from flexiapi.notify.upkeep import Upkeep

__all__ = [
    "Checked",
    "InstalledBackend",
    "Notifier",
    "Transport",
    "Upkeep",
    "configured_backends",
    "installed_backends",
]
