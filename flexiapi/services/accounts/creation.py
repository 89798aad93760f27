"""Account creation: with a creation token, with a confirmation code, by an administrator."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flexiapi.crypto.codes import Codes, random_pin
from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import ApiError, DeliveryFailed, StoreUnavailable, TooManyRequests, ValidationFailed
from flexiapi.model import Account, ActivationExpiration, Actor, Algorithm, Change, Confirmation, DtmfProtocol
from flexiapi.observing import log
from flexiapi.rendering.messages import AccountConfirmationMail, AccountConfirmationSms
from flexiapi.services.accounts.external_accounts import ExternalAccounts
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.names import Names, taken
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.settings import Settings
from flexiapi.store import IdentifierTaken, Store

TOKEN_LENGTH = 13


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is asked for."""

    username: str
    domain: str
    password: str
    algorithm: Algorithm
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    activated: bool = False
    admin: bool = False


class Creation:
    """Creates accounts for administrators and for the public."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        passwords: Passwords,
        names: Names,
        notices: Notices,
        externals: ExternalAccounts,
        codes: Codes,
        clock: Clock,
    ) -> None:
        self._externals = externals
        self._store = store
        self._settings = settings.account
        self._sip_domain = settings.app.sip_domain
        self._passwords = passwords
        self._names = names
        self._notices = notices
        self._codes = codes
        self._clock = clock

    async def with_token(self, new: NewAccount, token: str, actor: Actor) -> Account:
        """Create the account that a creation token allows. Its provisioning activates it. Raises `ValidationFailed`."""
        return await self._spending(token, new, actor)

    async def public(self, new: NewAccount, token: str, actor: Actor) -> Account:
        """As `with_token`, and send the code that activates the account: by mail if it has an address, else by SMS."""
        account = await self._spending(token, new, actor)
        try:
            return await self._confirm(account, actor)
        except (DeliveryFailed, TooManyRequests) as error:
            log.warning("confirmation not sent", account=account.id, reason=type(error).__name__)
            return account

    async def by_admin(self, new: NewAccount, actor: Actor, confirmation_key_expires: datetime | None) -> Account:
        """Create an account for an administrator. Unless active, it has a key and a token that activate it."""
        if new.activated:
            return await self._add(self._new(new, actor), actor)
        now, expires = self._clock.second(), confirmation_key_expires
        expiration = None if expires is None else await self._expiration(expires, now)
        change = self._new(
            new,
            actor,
            confirmation=Confirmation(key=random_text(TOKEN_LENGTH), expires_at=expires),
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=now,
            activation_expiration=expiration,
        )
        return await self._add(change, actor)

    async def _expiration(self, expires: datetime, now: datetime) -> ActivationExpiration:
        return ActivationExpiration(await self._store.counters.next("activation_expirations"), expires, now, now)

    def _new(self, new: NewAccount, actor: Actor, **fields: Any) -> Change[Account]:
        password = self._passwords.stored(new.username, new.domain, new.algorithm, new.password)
        return Account.new(
            self._clock.second(),
            activated=new.activated,
            is_admin=new.admin,
            username=new.username,
            domain=new.domain,
            email=new.email,
            phone=new.phone,
            display_name=new.display_name,
            dtmf_protocol=new.dtmf_protocol,
            ip_address=actor.address,
            user_agent=actor.user_agent,
            passwords=(password,),
            **fields,
        )

    async def _spending(self, token: str, new: NewAccount, actor: Actor) -> Account:
        """Consume the token first: a crash in between costs a token, never makes two accounts."""
        if not await self._store.creation_tokens.consume(token, self._clock.now(), actor):
            text = "account_creation_token is unknown, used or expired"
            raise ValidationFailed({"account_creation_token": [text]})
        change = self._new(
            new,
            actor,
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=self._clock.second(),
            creation_token_hash=token_hash(token),
        )
        try:
            return await self._add(change, actor)
        except ApiError as error:
            # Without an answer of the database the account may be there: then the token must stay used.
            if not isinstance(error, StoreUnavailable):
                await self._store.creation_tokens.give_back(token, actor)
            raise

    async def _add(self, change: Change[Account], actor: Actor) -> Account:
        try:
            return await self._externals.add_account(change, actor)
        except IdentifierTaken as error:
            new = change.after
            # A number that serves as the name was asked for as a number.
            name = None if new is None or new.username == new.phone else new.username
            raise taken(error, name) from error

    async def _confirm(self, account: Account, actor: Actor) -> Account:
        now = self._clock.second()
        if account.email is not None:
            life = timedelta(hours=self._settings.activation_hours)
            key = random_text(TOKEN_LENGTH)
            account = await self._await_code(account, Confirmation(key=key, expires_at=now + life), actor)
            await self._notices.mail(account.email or "", AccountConfirmationMail(account.address, key, life))
        elif account.phone is not None:
            life = self._settings.pin_life
            pin = random_pin()
            pin_hash = self._codes.hash(pin, account.id, "confirmation", account.phone)
            account = await self._await_code(account, Confirmation(pin_hash=pin_hash, expires_at=now + life), actor)
            await self._notices.text(account.phone or "", AccountConfirmationSms(pin, life))
        return account

    async def _await_code(self, account: Account, confirmation: Confirmation, actor: Actor) -> Account:
        return await self._store.accounts.apply(account.await_code(confirmation), actor) or account
