"""Accounts: creation, administration, removal, types, actions, upkeep."""

from dataclasses import dataclass

from flexiapi.services.accounts.actions import AccountActions
from flexiapi.services.accounts.activity import AccountActivity
from flexiapi.services.accounts.administration import AccountBusy, Administration
from flexiapi.services.accounts.administrators import Administrators
from flexiapi.services.accounts.bridged_accounts import BridgedAccounts, BridgeTaken, BridgeValues
from flexiapi.services.accounts.browsing import MOST_EXPORTED, AccountBrowsing, BrowsedAccounts, CursorInvalid
from flexiapi.services.accounts.bulk import BulkChanges
from flexiapi.services.accounts.creation import Creation
from flexiapi.services.accounts.details import AccountDetails, Amendments, random_password
from flexiapi.services.accounts.diagnosis import AccountDiagnosis, Hindrance
from flexiapi.services.accounts.dictionaries import Dictionaries
from flexiapi.services.accounts.directory import PAGE_SIZE, AccountDirectory, AccountListing
from flexiapi.services.accounts.external_accounts import ExternalAccounts
from flexiapi.services.accounts.forwarded_contacts import ForwardedContacts
from flexiapi.services.accounts.languages import AccountLanguages
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.accounts.overview import AccountOverview, AccountTotals
from flexiapi.services.accounts.personal_data import PersonalData, PersonalEvent, PersonalRecords
from flexiapi.services.accounts.removal import AccountRemoval
from flexiapi.services.accounts.rules import AccountRules, RegistrationClosed
from flexiapi.services.accounts.seeding import Seeding
from flexiapi.services.accounts.sign_outs import AccountSignOuts
from flexiapi.services.accounts.sign_up import SigningUp
from flexiapi.services.accounts.statistics import Period, Statistics
from flexiapi.services.accounts.support import AccountSupport
from flexiapi.services.accounts.types import AccountTypes
from flexiapi.services.accounts.upkeep import Upkeep
from flexiapi.services.accounts.web_sign_up import WebSignUp
from flexiapi.services.codes import CreationTokens
from flexiapi.services.ground import Ground
from flexiapi.services.phone_countries import PhoneCountries
from flexiapi.services.sign_in import Passwords

__all__ = [
    "MOST_EXPORTED",
    "PAGE_SIZE",
    "AccountBusy",
    "AccountDetails",
    "AccountDiagnosis",
    "AccountDirectory",
    "AccountListing",
    "AccountServices",
    "AccountTotals",
    "Amendments",
    "BridgeTaken",
    "BridgeValues",
    "BrowsedAccounts",
    "CursorInvalid",
    "ForwardedContacts",
    "Hindrance",
    "Period",
    "PersonalEvent",
    "PersonalRecords",
    "RegistrationClosed",
    "build",
    "random_password",
]


@dataclass(frozen=True, slots=True)
class AccountServices:
    """The services of this wing."""

    directory: AccountDirectory
    phone_countries: PhoneCountries
    browsing: AccountBrowsing
    overview: AccountOverview
    bulk: BulkChanges
    activity: AccountActivity
    rules: AccountRules
    creation: Creation
    signing_up: SigningUp
    web_sign_up: WebSignUp
    administration: Administration
    sign_outs: AccountSignOuts
    administrators: Administrators
    removal: AccountRemoval
    languages: AccountLanguages
    dictionaries: Dictionaries
    bridges: BridgedAccounts
    types: AccountTypes
    actions: AccountActions
    statistics: Statistics
    external_accounts: ExternalAccounts
    seeding: Seeding
    upkeep: Upkeep
    support: AccountSupport
    diagnosis: AccountDiagnosis
    personal_data: PersonalData
    forwarded_contacts: ForwardedContacts


def build(ground: Ground, passwords: Passwords, creation_tokens: CreationTokens) -> AccountServices:
    """Make the services of this wing."""
    directory, browsing = AccountDirectory(ground), AccountBrowsing(ground)
    guard = LastAdminGuard(ground.store)
    forwarded_contacts = ForwardedContacts(ground)
    removal = AccountRemoval(ground, guard, forwarded_contacts)
    external_accounts = ExternalAccounts(ground, passwords)
    creation = Creation(ground, directory, passwords, external_accounts)
    types = AccountTypes(ground.store, directory)
    signing_up = SigningUp(ground, creation, removal)
    rules = AccountRules(ground, directory, creation_tokens, signing_up)
    return AccountServices(
        directory=directory,
        phone_countries=ground.phone_countries,
        browsing=browsing,
        overview=AccountOverview(ground, browsing),
        bulk=BulkChanges(ground, directory),
        activity=AccountActivity(ground),
        rules=rules,
        creation=creation,
        signing_up=signing_up,
        web_sign_up=WebSignUp(ground, rules, creation_tokens, signing_up),
        administration=Administration(ground, directory, guard, passwords),
        sign_outs=AccountSignOuts(ground, directory),
        administrators=Administrators(ground, passwords),
        removal=removal,
        languages=AccountLanguages(ground),
        dictionaries=Dictionaries(ground, directory),
        bridges=BridgedAccounts(ground, directory),
        types=types,
        actions=AccountActions(ground.store, directory),
        statistics=Statistics(ground.store, ground.clock),
        external_accounts=external_accounts,
        seeding=Seeding(ground),
        upkeep=Upkeep(ground, removal),
        support=AccountSupport(ground, passwords),
        diagnosis=AccountDiagnosis(ground, passwords),
        personal_data=PersonalData(ground, directory, types),
        forwarded_contacts=forwarded_contacts,
    )
