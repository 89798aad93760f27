"""The only place where parts are put together: settings -> store -> outlets -> services -> application."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from flexiapi.crypto.codes import Codes
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.crypto.nonces import Nonces
from flexiapi.errors import StoreUnavailable
from flexiapi.flexisip.configured import message_sender_of, registrar_of
from flexiapi.flexisip.message_sender import MessageSender
from flexiapi.flexisip.registrar import Registrar
from flexiapi.flexisip.replication import Replication
from flexiapi.notify import Notifier
from flexiapi.observing import log
from flexiapi.provisioning import discovery
from flexiapi.provisioning.provisioning import ProvisioningDocuments
from flexiapi.rendering.renderer import Renderer
from flexiapi.server.application_key import application_key
from flexiapi.server.context import ServiceContext
from flexiapi.server.routes import ENDPOINTS
from flexiapi.services import Services
from flexiapi.services.accounts.actions import AccountActions
from flexiapi.services.accounts.administration import Administration
from flexiapi.services.accounts.administrators import Administrators
from flexiapi.services.accounts.creation import Creation
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.external_accounts import ExternalAccounts
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.accounts.removal import AccountRemoval
from flexiapi.services.accounts.rules import AccountRules
from flexiapi.services.accounts.seeding import Seeding
from flexiapi.services.accounts.statistics import Statistics
from flexiapi.services.accounts.types import AccountTypes
from flexiapi.services.accounts.upkeep import Upkeep
from flexiapi.services.clock import Clock
from flexiapi.services.codes.activation import Activation, Confirmations
from flexiapi.services.codes.address_changes import AddressChanges
from flexiapi.services.codes.creation_tokens import CreationTokens
from flexiapi.services.codes.human_check import HumanCheck
from flexiapi.services.codes.notices import Notices
from flexiapi.services.codes.recovery import Recovery
from flexiapi.services.contacts.contacts import Contacts
from flexiapi.services.contacts.lists import ContactsLists
from flexiapi.services.limiter import Limiter
from flexiapi.services.names import NameRules, Names
from flexiapi.services.phones.devices import Devices
from flexiapi.services.phones.messages import Messages
from flexiapi.services.phones.provisioning import Provisioning
from flexiapi.services.sign_in.api_keys import ApiKeys
from flexiapi.services.sign_in.http import SignIn
from flexiapi.services.sign_in.my_password import MyPassword
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.services.sign_in.sip import SipSignIn
from flexiapi.settings import Settings
from flexiapi.store import EmbeddedMongod, Store
from flexiapi.web.handler import Api
from flexiapi.web.throttle import Throttle

_KEY_USES_SECONDS = 5.0


@contextlib.contextmanager
def mongod_of(settings: Settings, *, exclusive: bool = False) -> Iterator[str]:
    """The MongoDB URI to use, while an embedded mongod runs if the settings want one."""
    if not settings.mongodb.is_embedded:
        yield settings.mongodb.uri
        return
    application_key(settings)  # before the database, so that one without a key is one that has lost it
    mongod = EmbeddedMongod(settings.data.path)
    try:
        mongod.start(exclusive=exclusive)
        if exclusive:
            mongod.keep()
        yield mongod.uri
    finally:
        mongod.stop()


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything behind the endpoints."""

    settings: Settings
    store: Store
    notifier: Notifier
    renderer: Renderer
    clock: Clock
    services: Services
    replication: Replication
    registrar: Registrar | None
    sender: MessageSender | None

    @contextlib.asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """At the end of the block every connection is given back, whatever happens to the others."""
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.store.close)
            stack.push_async_callback(self.store.sip_sign_ins.close)
            for part in (self.registrar, self.sender):
                if part is not None:
                    stack.push_async_callback(part.close)
            stack.push_async_callback(self.notifier.close)
            yield


def build(settings: Settings, uri: str, clock: Clock | None = None, key: ApplicationKey | None = None) -> Parts:
    """Put the parts together; nothing is opened yet but the database client. Raises `ConfigurationError`."""
    clock = clock or Clock()
    key = key or application_key(settings)
    registrar, sender = registrar_of(settings), message_sender_of(settings)
    store = Store(settings, key, uri)
    notifier = Notifier(settings)
    renderer = Renderer(settings.templates, settings.app.name, settings.mail.signature)
    services = _services(settings, key, store, notifier, renderer, clock, registrar, sender)
    replication = Replication(settings, store.accounts, store.changes)
    return Parts(settings, store, notifier, renderer, clock, services, replication, registrar, sender)


def _services(
    settings: Settings,
    key: ApplicationKey,
    store: Store,
    notifier: Notifier,
    renderer: Renderer,
    clock: Clock,
    registrar: Registrar | None,
    sender: MessageSender | None,
) -> Services:
    app, account = settings.app, settings.account
    rules = NameRules(settings)
    public = rules.public_domains
    limiter = Limiter(settings.limits, store, clock)
    passwords = Passwords(account)
    names = Names(store, app.sip_domain, email_unique=account.email_unique)
    notices = Notices(notifier, renderer, limiter)
    codes = Codes(key)
    documents = ProvisioningDocuments(account, f"{app.url}/contacts/vcard", discovery.load(account.provisioning_hooks))
    accounts = AccountDirectory(store, app.sip_domain, public, multi_domain=app.admins_manage_multi_domains)
    guard = LastAdminGuard(store)
    removal = AccountRemoval(store, guard, account, clock)
    externals = ExternalAccounts(store, account, passwords, clock, app.sip_domain)
    creation_tokens = CreationTokens(store, notifier, account, clock)
    confirmations = Confirmations(store, codes, limiter, account, clock)
    activation = Activation(store, confirmations, clock, public)
    return Services(
        app_name=app.name,
        sip_domain=app.sip_domain,
        dangerous_endpoints=app.dangerous_endpoints,
        provisioning_header_required=account.provisioning_header_required,
        key_minutes=app.api_key_expiration_minutes,
        name_rules=rules,
        limiter=limiter,
        sign_in=SignIn(
            store,
            Nonces(key.derive("nonces")),
            passwords,
            limiter,
            clock,
            key_life=timedelta(minutes=app.api_key_expiration_minutes),
            nonce_life=timedelta(minutes=account.nonce_minutes),
        ),
        accounts=accounts,
        account_rules=AccountRules(names, rules, accounts, creation_tokens, app.sip_domain),
        administration=Administration(store, accounts, guard, passwords, notices, clock),
        creation=Creation(store, settings, passwords, names, notices, externals, codes, clock),
        creation_tokens=creation_tokens,
        human_check=HumanCheck(settings.nocaptcha, key.derive("human check")),
        api_keys=ApiKeys(store, clock),
        activation=activation,
        recovery=Recovery(store, settings, codes, confirmations, activation, passwords, notices, clock, public),
        provisioning=Provisioning(store, documents, passwords, notices, account, app.url, clock),
        my_password=MyPassword(store, passwords, notices, limiter, account, clock),
        my_addresses=AddressChanges(store, names, codes, notices, limiter, account, clock),
        devices=Devices(registrar),
        contacts=Contacts(store, accounts, app.sip_domain),
        contacts_lists=ContactsLists(store, accounts),
        messages=Messages(sender),
        removal=removal,
        external_accounts=externals,
        seeding=Seeding(store, clock, app.name),
        upkeep=Upkeep(store, removal, account, clock, app.sip_domain),
        types=AccountTypes(store, accounts),
        actions=AccountActions(store, accounts),
        statistics=Statistics(store, accounts, clock),
        sip_sign_in=SipSignIn(store, settings.flexisip, account, clock),
        administrators=Administrators(store, rules, passwords, clock, app.name, app.sip_domain),
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A server's inside; `drain` waits until no request is under way."""

    application: Api
    parts: Parts
    drain: Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    uri: str,
    *,
    throttle: Throttle | None = None,
    clock: Clock | None = None,
    log_stream: TextIO | None = None,
    prepare: bool = True,
) -> AsyncIterator[Running]:
    """The application with everything that it needs, until the end of the block."""
    parts = build(settings, uri, clock)
    throttle = throttle or Throttle(settings.limits.requests_per_minute)
    log_stream = log_stream or sys.stderr
    context = ServiceContext(settings, parts.services, parts.renderer, parts.replication, throttle, log_stream)
    async with parts.closing():
        if prepare:
            await parts.store.prepare()
            await parts.services.removal.heal()
        await parts.notifier.start()
        application = Api(context, ENDPOINTS)
        try:
            async with _key_uses_written(parts.store), parts.replication.opened(), parts.replication.followed():
                yield Running(application, parts, context.drain)
        finally:
            context.flush()


@contextlib.asynccontextmanager
async def _key_uses_written(store: Store) -> AsyncIterator[None]:
    """Within the block the uses of API keys are written now and then, and at its end."""
    writer = asyncio.create_task(_write_now_and_then(store))
    try:
        yield
    finally:
        writer.cancel()
        await asyncio.wait({writer})
        await _write_key_uses(store)


async def _write_now_and_then(store: Store) -> None:
    while True:
        await asyncio.sleep(_KEY_USES_SECONDS)
        await _write_key_uses(store)


async def _write_key_uses(store: Store) -> None:
    try:
        await store.key_uses.write()
    except StoreUnavailable:
        log.warning("key uses not written", reason="the database is away")
    except Exception:  # noqa: BLE001  # the next time may go well, and nothing else may suffer
        log.error("key uses not written", exc_info=True)
