"""Delivery of messages through the configured notification backends; services use the `Notifier` only."""

from flexiapi.notify.assembly import configured_backends
from flexiapi.notify.backend_watch import BackendWatch
from flexiapi.notify.discovery import InstalledBackend, Transport, installed_backends
from flexiapi.notify.notifier import Checked, Notifier

__all__ = [
    "BackendWatch",
    "Checked",
    "InstalledBackend",
    "Notifier",
    "Transport",
    "configured_backends",
    "installed_backends",
]
