"""Secrets that are sent to people: codes of activation and recovery, creation tokens, the human check."""

from dataclasses import dataclass

from flexiapi.services.codes.activation import Activation, Confirmations
from flexiapi.services.codes.address_changes import AddressChanges
from flexiapi.services.codes.creation_tokens import CreationTokens
from flexiapi.services.codes.human_check import HumanCheck, HumanCheckUnavailable
from flexiapi.services.codes.invitations import (
    Invitations,
    InvitationsUseless,
    MadeInvitation,
    NewInvitation,
)
from flexiapi.services.codes.recovery import Recovery
from flexiapi.services.codes.recovery_tokens import RecoveryTokens
from flexiapi.services.codes.resending import Resending
from flexiapi.services.codes.reset_links import ResetLinks
from flexiapi.services.codes.web_activation import WebActivation
from flexiapi.services.codes.web_recovery import RecoveryRequest, WebRecovery
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in import Passwords

__all__ = [
    "CodeServices",
    "CreationTokens",
    "HumanCheckUnavailable",
    "InvitationsUseless",
    "MadeInvitation",
    "NewInvitation",
    "RecoveryRequest",
    "build",
]


@dataclass(frozen=True, slots=True)
class CodeServices:
    """The services of this wing."""

    activation: Activation
    recovery: Recovery
    address_changes: AddressChanges
    resending: Resending
    reset_links: ResetLinks
    web_activation: WebActivation
    web_recovery: WebRecovery
    creation_tokens: CreationTokens
    recovery_tokens: RecoveryTokens
    human_check: HumanCheck
    invitations: Invitations


def build(ground: Ground, passwords: Passwords) -> CodeServices:
    """Make the services of this wing."""
    confirmations = Confirmations(ground)
    activation = Activation(ground, confirmations)
    creation_tokens = CreationTokens(ground)
    recovery = Recovery(ground, confirmations, activation, passwords, creation_tokens)
    reset_links = ResetLinks(ground, activation, passwords)
    return CodeServices(
        activation=activation,
        recovery=recovery,
        reset_links=reset_links,
        web_activation=WebActivation(ground, activation),
        web_recovery=WebRecovery(ground, recovery, reset_links),
        address_changes=AddressChanges(ground),
        resending=Resending(ground),
        creation_tokens=creation_tokens,
        recovery_tokens=RecoveryTokens(ground),
        invitations=Invitations(ground),
        human_check=HumanCheck(ground.settings.nocaptcha, ground.key.derive("human check")),
    )
