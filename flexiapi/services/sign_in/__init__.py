"""Sign-in: API keys, DIGEST, SIP, passwords."""

from dataclasses import dataclass

from flexiapi.crypto.nonces import Nonces
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.api_keys import ApiKeys
from flexiapi.services.sign_in.http import OPAQUE, DigestAnswer, HttpSignIn, SignedIn
from flexiapi.services.sign_in.my_password import MyPassword
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.services.sign_in.sip import SipSignIn

__all__ = ["OPAQUE", "DigestAnswer", "Passwords", "SignInServices", "SignedIn", "build"]


@dataclass(frozen=True, slots=True)
class SignInServices:
    """The services of this wing."""

    http: HttpSignIn
    sip: SipSignIn
    api_keys: ApiKeys
    passwords: Passwords
    my_password: MyPassword


def build(ground: Ground) -> SignInServices:
    """Make the services of this wing."""
    store, clock, settings = ground.store, ground.clock, ground.settings
    passwords = Passwords(settings.account)
    nonces = Nonces(ground.key.derive("nonces"))
    return SignInServices(
        http=HttpSignIn(store, nonces, passwords, ground.limiter, clock, settings),
        sip=SipSignIn(store, settings.flexisip, settings.account, clock),
        api_keys=ApiKeys(store, clock),
        passwords=passwords,
        my_password=MyPassword(store, passwords, ground.notices, ground.limiter, settings.account, clock),
    )
