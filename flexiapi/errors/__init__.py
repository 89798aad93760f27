"""Failures, each with the status and message that a caller is given.

FlexiapiError
 +- ApiError                      has an HTTP status and a message for the caller
     +- ProvisioningFailed    500
     +- MalformedRequest      400
     +- SignInRequired        401   (with challenges)
     +- SessionRequired       401   (of the panel)
     +- Forbidden             403 -+- AdminRequired, KeyRefused, ActivationExpired, ...
     +- NotFound              404 -+- RecordNotFound, RouteNotFound
     +- MethodNotAllowed      405
     +- BodyTooLarge          413
     +- ValidationFailed      422   (with the failing fields) - WrongCredentials
     +- TooManyRequests       429   (with Retry-After)
     +- Unavailable           503 -+- StoreUnavailable, DeliveryFailed, RegistrarUnavailable, ...
 +- ConfigurationError            stops the start; its text says what to do
"""

from flexiapi.errors.base import (
    ApiError,
    ChangesLost,
    ChangesUnsupported,
    ConfigurationError,
    FieldErrors,
    FlexiapiError,
    SealBroken,
    Violations,
)
from flexiapi.errors.of_files import RangeNotSatisfiable, UploadAborted, VoicemailFull
from flexiapi.errors.refused import (
    AccountBlocked,
    ActivationExpired,
    AdminRequired,
    AlreadyAttached,
    BodyTooLarge,
    CodeRefused,
    ConfirmationRequired,
    CookiesNeeded,
    CountryNotAllowed,
    CreationTokenRefused,
    CrossSiteRequest,
    ExternalAccountUsed,
    Forbidden,
    FormOutdated,
    FreshCheckRequired,
    KeyRefused,
    LastAdmin,
    MalformedRequest,
    MethodNotAllowed,
    NamedKeysFull,
    NoDtmfProtocol,
    NoEmailConfigured,
    NoExternalAccountLeft,
    NotAttached,
    NotFound,
    NotLetIn,
    OwnBlock,
    PrefetchRefused,
    ProvisioningFailed,
    RecordNotFound,
    RecoveryTokenTooSoon,
    RouteNotFound,
    SessionRequired,
    SignInRequired,
    SpaceFull,
    TooManyRequests,
    ValidationFailed,
    WrongCode,
    WrongCredentials,
)
from flexiapi.errors.unavailable import (
    DeliveryFailed,
    DeviceUnregistered,
    RegistrarUnavailable,
    ReplicaNotWritable,
    ReplicaUnavailable,
    ReportsRefused,
    SipUnavailable,
    StoreUnavailable,
    Unavailable,
)

__all__ = [
    "AccountBlocked",
    "ActivationExpired",
    "AdminRequired",
    "AlreadyAttached",
    "ApiError",
    "BodyTooLarge",
    "ChangesLost",
    "ChangesUnsupported",
    "CodeRefused",
    "ConfigurationError",
    "ConfirmationRequired",
    "CookiesNeeded",
    "CountryNotAllowed",
    "CreationTokenRefused",
    "CrossSiteRequest",
    "DeliveryFailed",
    "DeviceUnregistered",
    "ExternalAccountUsed",
    "FieldErrors",
    "FlexiapiError",
    "Forbidden",
    "FormOutdated",
    "FreshCheckRequired",
    "KeyRefused",
    "LastAdmin",
    "MalformedRequest",
    "MethodNotAllowed",
    "NamedKeysFull",
    "NoDtmfProtocol",
    "NoEmailConfigured",
    "NoExternalAccountLeft",
    "NotAttached",
    "NotFound",
    "NotLetIn",
    "OwnBlock",
    "PrefetchRefused",
    "ProvisioningFailed",
    "RangeNotSatisfiable",
    "RecordNotFound",
    "RecoveryTokenTooSoon",
    "RegistrarUnavailable",
    "ReplicaNotWritable",
    "ReplicaUnavailable",
    "ReportsRefused",
    "RouteNotFound",
    "SealBroken",
    "SessionRequired",
    "SignInRequired",
    "SipUnavailable",
    "SpaceFull",
    "StoreUnavailable",
    "TooManyRequests",
    "Unavailable",
    "UploadAborted",
    "ValidationFailed",
    "Violations",
    "VoicemailFull",
    "WrongCode",
    "WrongCredentials",
]
