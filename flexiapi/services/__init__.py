"""The rules, in wings. They know neither HTTP nor MongoDB."""

from dataclasses import dataclass

from flexiapi.flexisip.message_sender import MessageSender
from flexiapi.flexisip.registrar import Registrar
from flexiapi.model import Spaces
from flexiapi.services import accounts, calls, codes, contacts, phones, sign_in
from flexiapi.services.accounts import AccountServices
from flexiapi.services.calls import CallServices
from flexiapi.services.codes import CodeServices
from flexiapi.services.contacts import ContactServices
from flexiapi.services.ground import Ground
from flexiapi.services.limiter import Limiter
from flexiapi.services.notices import Notices
from flexiapi.services.phones import PhoneServices
from flexiapi.services.sign_in import SignInServices
from flexiapi.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The wings, as endpoints and commands call them, and the settings and limits that they share."""

    settings: Settings
    spaces: Spaces
    limiter: Limiter
    notices: Notices
    sign_in: SignInServices
    codes: CodeServices
    accounts: AccountServices
    contacts: ContactServices
    phones: PhoneServices
    calls: CallServices


def build(ground: Ground, registrar: Registrar | None, sender: MessageSender | None) -> Services:
    """Make all services; `registrar` and `sender` are those of the SIP server, if it has them."""
    sign_in_wing = sign_in.build(ground)
    passwords = sign_in_wing.passwords
    codes_wing = codes.build(ground, passwords)
    accounts_wing = accounts.build(ground, passwords, codes_wing.creation_tokens)
    contacts_wing = contacts.build(ground, accounts_wing.directory, accounts_wing.forwarded_contacts)
    return Services(
        settings=ground.settings,
        spaces=ground.spaces,
        limiter=ground.limiter,
        notices=ground.notices,
        sign_in=sign_in_wing,
        codes=codes_wing,
        accounts=accounts_wing,
        contacts=contacts_wing,
        phones=phones.build(ground, passwords, registrar, sender),
        calls=calls.build(ground, accounts_wing, contacts_wing),
    )
