"""The endpoints with pages that need no session."""

from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.panel.entrance.activation import (
    ActivationEndpoint,
    ActivationLinkEndpoint,
    AnotherCodeEndpoint,
    GiveUpEndpoint,
)
from flexiapi.panel.entrance.hand_over import HandOverEndpoint, TakeOverEndpoint
from flexiapi.panel.entrance.information import AboutEndpoint, ManualEndpoint
from flexiapi.panel.entrance.qr import AskEndpoint, LetInEndpoint, RefuseEndpoint, ShownEndpoint, StateEndpoint
from flexiapi.panel.entrance.recovery import (
    AppPhoneRecoveryEndpoint,
    EmailRecoveryEndpoint,
    LaterEmailRecoveryEndpoint,
    LaterPhoneRecoveryEndpoint,
    PhoneRecoveryEndpoint,
    ProofByCodeEndpoint,
    RecoveryCodeEndpoint,
    RecoveryEndpoint,
    RecoveryLinkEndpoint,
)
from flexiapi.panel.entrance.reset import ResetEndpoint, ResetLinkEndpoint
from flexiapi.panel.entrance.sign_up import EmailSignUpEndpoint, PhoneSignUpEndpoint, RegisterEndpoint, SignUpEndpoint

ENTRANCE_ENDPOINTS: tuple[type[PageEndpoint], ...] = (
    RegisterEndpoint,
    EmailSignUpEndpoint,
    PhoneSignUpEndpoint,
    SignUpEndpoint,
    ActivationEndpoint,
    AnotherCodeEndpoint,
    GiveUpEndpoint,
    ActivationLinkEndpoint,
    EmailRecoveryEndpoint,
    PhoneRecoveryEndpoint,
    LaterEmailRecoveryEndpoint,
    LaterPhoneRecoveryEndpoint,
    AppPhoneRecoveryEndpoint,
    RecoveryEndpoint,
    RecoveryLinkEndpoint,
    RecoveryCodeEndpoint,
    ProofByCodeEndpoint,
    ResetLinkEndpoint,
    ResetEndpoint,
    AskEndpoint,
    ShownEndpoint,
    StateEndpoint,
    LetInEndpoint,
    RefuseEndpoint,
    HandOverEndpoint,
    TakeOverEndpoint,
    ManualEndpoint,
    AboutEndpoint,
)
