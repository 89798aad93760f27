"""Storage in MongoDB, which no other package imports."""

from datetime import timedelta

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ConfigurationError
from flexiapi.model import Spaces
from flexiapi.settings import Settings
from flexiapi.store import driver, indexes
from flexiapi.store.account_pages import AccountPages, MatchingAccounts
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.account_tokens import AuthTokenStore, MailedTo, ResetLinkStore
from flexiapi.store.accounts import AccountStore, IdentifierTaken
from flexiapi.store.bulk import BulkAccounts
from flexiapi.store.cards import CardStore
from flexiapi.store.changes import AccountChanges
from flexiapi.store.connection import Records, open_database
from flexiapi.store.contacts import ContactStore
from flexiapi.store.contacts_lists import ContactsListStore
from flexiapi.store.counters import Counters
from flexiapi.store.documents import AccountDocuments
from flexiapi.store.driver import Database
from flexiapi.store.embedded import EmbeddedMongod
from flexiapi.store.external_accounts import ExternalAccountStore
from flexiapi.store.forwardings import ForwardingStore
from flexiapi.store.invitations import InvitationStore
from flexiapi.store.journal import Journal
from flexiapi.store.key_uses import KeyUses
from flexiapi.store.leases import Leases
from flexiapi.store.limits import LimitCounters
from flexiapi.store.listings import Listings
from flexiapi.store.migrations import Layout, MigrationPlan, Migrations
from flexiapi.store.named_keys import NamedKeyStore
from flexiapi.store.outage import Outage
from flexiapi.store.phone_countries import PhoneCountryStore
from flexiapi.store.provisioning_fetches import ProvisioningFetchStore
from flexiapi.store.push_devices import PushDeviceStore
from flexiapi.store.quotas import AccountQuotas
from flexiapi.store.removals import Removal, RemovalStore
from flexiapi.store.seals import Seals
from flexiapi.store.sent_pushes import SentPushStore
from flexiapi.store.servers import ServerProcessRecord, ServerRecords
from flexiapi.store.sessions import SessionStore
from flexiapi.store.sign_in_places import SignInPlaceStore
from flexiapi.store.sip_reports import FiledReport, SipReportStore
from flexiapi.store.sip_sign_ins import SipSignIns
from flexiapi.store.space_identifiers import SpaceTablesCollide
from flexiapi.store.spaces import SpaceTables
from flexiapi.store.steps import CENSUS_DROPPED, SECRETS_SEALED, WORDS_WRITTEN, LayoutStep
from flexiapi.store.tokens import CreationTokenStore, RecoveryTokenStore, RequestTokenStore
from flexiapi.store.tombstones import TombstoneStore
from flexiapi.store.types import AccountTypeStore
from flexiapi.store.used_nonces import UsedNonceStore
from flexiapi.store.voicemails import VoicemailStore

__all__ = [
    "SPACES_WAIT",
    "EmbeddedMongod",
    "FiledReport",
    "IdentifierTaken",
    "Layout",
    "LayoutStep",
    "MailedTo",
    "MatchingAccounts",
    "MigrationPlan",
    "Removal",
    "ServerProcessRecord",
    "SpaceTablesCollide",
    "Store",
]

# A write waits for a server, is tried twice, and each try may take two timeouts. A change waits for the answer to its
# announcement, perhaps for the batch before its own, and for its own write.
_SETTLING_TIMEOUTS = 18
SPACES_WAIT = timedelta(seconds=20)
"""The time in which running servers notice that the tables of domains are about to change: they look every 10 s."""


class Store(Records, bounds=False):
    """All collections of an installation."""

    def __init__(self, settings: Settings, key: ApplicationKey, uri: str) -> None:
        database = open_database(settings.mongodb, uri, Outage())
        super().__init__(database)
        self.spaces = Spaces.of(settings)
        self._key, self._email_unique = key, settings.account.email_unique
        self._documents = documents = AccountDocuments(key, self.spaces, email_unique=self._email_unique)
        self.counters = Counters(database)
        settling = timedelta(seconds=_SETTLING_TIMEOUTS * settings.mongodb.timeout_seconds)
        self.journal = journal = Journal.of(database)
        self.account_ranges = AccountRanges(database, settling)
        self.quotas = AccountQuotas(database, self.spaces)
        self.accounts = AccountStore(database, journal, documents, self.counters, self.account_ranges, self.quotas)
        self.listings = Listings(database, documents, self.account_ranges)
        self.account_pages = AccountPages(database, documents, self.account_ranges, self.listings)
        self.external_accounts = ExternalAccountStore(database, journal, key, self.counters)
        self.bulk = BulkAccounts(database, journal, documents, self.account_ranges)
        self.seals = Seals(database, key, documents)
        self.leases = Leases(database)
        self.space_tables = SpaceTables(database, documents, self.spaces, self.leases)
        self.servers = ServerRecords(database)
        self.migrations = Migrations(database, self.leases, self.servers, self.seals.take_clear_text)
        self.changes = AccountChanges(database)
        self.contacts = ContactStore(database, documents)
        self.forwardings = ForwardingStore(database)
        self.cards = CardStore(database)
        self.provisioning_fetches = ProvisioningFetchStore(database)
        self.contacts_lists = ContactsListStore(database, journal, self.counters)
        self.types = AccountTypeStore(database, journal, self.counters)
        self.sip_sign_ins = SipSignIns(settings.mongodb, uri, documents)
        self.limits = LimitCounters(database)
        self.removals = RemovalStore(database)
        self.tombstones = TombstoneStore(database, journal)
        self.voicemails = VoicemailStore(database, journal, key)
        self.sip_reports = SipReportStore(database, timedelta(days=settings.statistics.days))
        self._open_credentials(database, settings, settling)

    def _open_credentials(self, database: Database, settings: Settings, settling: timedelta) -> None:
        """Open the collections of what signs in to accounts, or leads to new ones."""
        journal = self.journal
        self.creation_tokens = CreationTokenStore(database, journal, settling)
        self.invitations = InvitationStore(database, journal, self.counters)
        self.push_devices = PushDeviceStore(database)
        self.sent_pushes = SentPushStore(database)
        self.recovery_tokens = RecoveryTokenStore(database, journal)
        self.request_tokens = RequestTokenStore(database, journal)
        self.sessions = SessionStore(database)
        self.sign_in_places = SignInPlaceStore(database)
        self.auth_tokens = AuthTokenStore(database, journal)
        self.reset_links = ResetLinkStore(database, journal)
        self.key_uses = KeyUses(database)
        self.phone_countries = PhoneCountryStore(database, journal)
        self.named_keys = NamedKeyStore(database, journal, self.counters)
        self.used_nonces = UsedNonceStore(database, timedelta(minutes=settings.account.nonce_minutes))

    async def prepare(self, *, alone: bool = False, serves: bool = False) -> None:
        """Note the layout, create the indexes, check the application key. Safe in several processes at once.

        With `alone` no other server can be running. A server (`serves`) changes the accounts of a database that has no
        tables of domains yet to those of its settings. Raises `ConfigurationError` if the database was made with
        another key, or if its layout is too new.
        """
        await self.migrations.begin(alone=alone)
        await self.layout()
        await indexes.ensure(self._database)
        await self._keep_key()
        if serves:
            await self.sip_reports.removals.keep_for(self.sip_reports.life)
            others = [] if alone else await self.servers.seen()
            fits = await self.space_tables.settle(SPACES_WAIT if others else timedelta(0))
        else:
            fits = await self.space_tables.settle_empty()
        if fits:
            await self.prepare_spaces()

    async def prepare_spaces(self) -> None:
        """Do what depends on the spaces, once the database fits their tables. Raises `ConfigurationError`."""
        if await self.space_tables.fits():
            await indexes.keep_emails_unique(self._database, self.spaces, wanted=self._email_unique)
            await self.quotas.prepare()

    async def layout(self) -> Layout:
        """Return the layout of the database, and let this process write so that older servers can read it."""
        layout = await self.migrations.layout()
        self.account_ranges.has_older_servers = layout.version < CENSUS_DROPPED.number
        self.listings.has_words = layout.version >= WORDS_WRITTEN.number
        self._documents.writes_clear_text = max(layout.begun, layout.version) < SECRETS_SEALED.number
        return layout

    async def check(self) -> None:
        """Raise `ConfigurationError` if `prepare` would, without changing anything."""
        await self.migrations.refuse_newer()
        await self._check_key()
        await indexes.check_emails(self._database, self.spaces, wanted=self._email_unique)

    async def _keep_key(self) -> None:
        meta = self._database["meta"]
        mine = self._key.fingerprint()
        await meta.update_one({"_id": "application_key"}, {"$setOnInsert": {"fingerprint": mine}}, upsert=True)
        await self._check_key()
        await meta.update_one({"_id": "application_key", "fingerprint": {"$ne": mine}}, {"$set": {"fingerprint": mine}})

    async def _check_key(self) -> None:
        known = await self._database["meta"].find_one({"_id": "application_key"})
        ours = [self._key.fingerprint(), *self._key.previous_fingerprints()]
        if known is not None and known["fingerprint"] not in ours:
            raise ConfigurationError(
                "The application key is not the one that this database was written with. Set APP_KEY to that one; "
                "to change it, set APP_KEY to the new and APP_PREVIOUS_KEYS to the old."
            )

    async def old_servers_may_run(self) -> bool:
        """Return True while servers of a release without events may use the database."""
        return (await self.migrations.layout()).has_unlisted_servers

    async def ping(self) -> None:
        """Raise `StoreUnavailable` if MongoDB does not answer."""
        await self._database.command("ping")

    async def close(self) -> None:
        """Close the connections, but for those of `sip_sign_ins`."""
        await driver.close(self._database.client)
