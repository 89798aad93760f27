"""Sign-in: API keys of accounts and named ones, DIGEST, SIP, passwords, sessions of the panel."""

from dataclasses import dataclass

from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.api_keys import AUTH_TOKEN_LIFE, ApiKeys, ApiKeyState
from flexiapi.services.sign_in.failed_sign_ins import FailedSignIns
from flexiapi.services.sign_in.form_tokens import FormTokens
from flexiapi.services.sign_in.http import OPAQUE, DigestAnswer, HttpSignIn, SignedIn
from flexiapi.services.sign_in.my_password import MyPassword
from flexiapi.services.sign_in.named_keys import MOST_KEYS, KeyIdentity, ListedKey, NamedKeys, NewNamedKey
from flexiapi.services.sign_in.panel import PanelSignIn
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.services.sign_in.qr import QrSignIn
from flexiapi.services.sign_in.sessions import NewSession, SessionIdentity, Sessions
from flexiapi.services.sign_in.sip import SipSignIn

__all__ = [
    "AUTH_TOKEN_LIFE",
    "MOST_KEYS",
    "OPAQUE",
    "ApiKeyState",
    "DigestAnswer",
    "KeyIdentity",
    "ListedKey",
    "NewNamedKey",
    "NewSession",
    "Passwords",
    "SessionIdentity",
    "SignInServices",
    "SignedIn",
    "build",
]


@dataclass(frozen=True, slots=True)
class SignInServices:
    """The services of this wing."""

    http: HttpSignIn
    sip: SipSignIn
    api_keys: ApiKeys
    named_keys: NamedKeys
    passwords: Passwords
    my_password: MyPassword
    qr: QrSignIn
    sessions: Sessions
    panel: PanelSignIn
    form_tokens: FormTokens


def build(ground: Ground) -> SignInServices:
    """Make the services of this wing."""
    passwords = Passwords(ground.spaces, md5=ground.settings.account.md5)
    api_keys = ApiKeys(ground)
    failures = FailedSignIns(ground.settings.limits, ground.store, ground.clock)
    return SignInServices(
        http=HttpSignIn(ground, passwords, failures),
        sip=SipSignIn(ground),
        api_keys=api_keys,
        named_keys=NamedKeys(ground, failures),
        passwords=passwords,
        my_password=MyPassword(ground, passwords),
        qr=QrSignIn(ground, api_keys),
        sessions=Sessions(ground),
        panel=PanelSignIn(ground, passwords, failures),
        form_tokens=FormTokens(ground.key.derive("forms")),
    )
