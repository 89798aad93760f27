"""Details that a creation or replacement of an account sets."""

from dataclasses import dataclass

from flexiapi.model import Algorithm, DtmfProtocol


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """The details of an account, the password in the clear.

    Without `domain` a new account is in the SIP domain, and a replaced one stays in its own.
    """

    username: str
    password: str
    algorithm: Algorithm
    domain: str | None = None
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    admin: bool = False
