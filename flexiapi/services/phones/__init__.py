"""Phones: provisioning, devices, messages."""

from dataclasses import dataclass

from flexiapi.flexisip.message_sender import MessageSender
from flexiapi.flexisip.registrar import Registrar
from flexiapi.provisioning import discovery
from flexiapi.provisioning.spaces import SpaceDocuments
from flexiapi.services.ground import Ground
from flexiapi.services.phones.backends import Backends
from flexiapi.services.phones.delivery_reports import DeliveryReports
from flexiapi.services.phones.devices import Devices
from flexiapi.services.phones.fetches import ExplainedFetch, Fetches
from flexiapi.services.phones.messages import Messages
from flexiapi.services.phones.provisioning import ProvisionedEntry, Provisioning, SetupOffer
from flexiapi.services.phones.setup_mails import SetupMails
from flexiapi.services.phones.trials import PhoneTrials, PushOutcome
from flexiapi.services.phones.turn import NoTurnService, Turn, TurnForActivated
from flexiapi.services.sign_in import Passwords

__all__ = [
    "ExplainedFetch",
    "NoTurnService",
    "PhoneServices",
    "ProvisionedEntry",
    "PushOutcome",
    "SetupOffer",
    "TurnForActivated",
    "build",
]


@dataclass(frozen=True, slots=True)
class PhoneServices:
    """The services of this wing."""

    provisioning: Provisioning
    setup_mails: SetupMails
    devices: Devices
    messages: Messages
    delivery_reports: DeliveryReports
    trials: PhoneTrials
    backends: Backends
    turn: Turn
    fetches: Fetches


def build(
    ground: Ground, passwords: Passwords, registrar: Registrar | None, sender: MessageSender | None
) -> PhoneServices:
    """Make the services of this wing. Raises `ConfigurationError` for provisioning hooks that do not load."""
    documents = SpaceDocuments(
        ground.spaces, discovery.load(ground.settings.account.provisioning_hooks), ground.settings.directories
    )
    fetches = Fetches(ground)
    devices, messages = Devices(registrar), Messages(sender)
    return PhoneServices(
        provisioning=Provisioning(ground, documents, passwords, fetches),
        setup_mails=SetupMails(ground),
        devices=devices,
        messages=messages,
        delivery_reports=DeliveryReports(ground.notifier),
        trials=PhoneTrials(ground, devices, messages),
        backends=Backends(ground, devices),
        turn=Turn(ground),
        fetches=fetches,
    )
