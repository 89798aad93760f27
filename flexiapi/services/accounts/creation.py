"""How an account comes to be: one document, written once, whatever the way."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flexiapi.crypto.codes import Codes, random_pin
from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import ApiError, DeliveryFailed, StoreUnavailable, TooManyRequests, ValidationFailed
from flexiapi.model import Account, ActivationExpiration, Algorithm, Confirmation, DtmfProtocol
from flexiapi.observing import log
from flexiapi.rendering.messages import AccountConfirmationMail, AccountConfirmationSms
from flexiapi.services.accounts.external_accounts import ExternalAccounts
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.names import Names, taken
from flexiapi.services.origin import Origin
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

    async def with_token(self, new: NewAccount, token: str, origin: Origin) -> Account:
        """The account that a creation token is good for; it waits for its provisioning. Raises `ValidationFailed`."""
        account = replace(self._made(new, origin), provisioning_token=random_text(TOKEN_LENGTH))
        return await self._spending(token, account)

    async def public(self, new: NewAccount, token: str, origin: Origin) -> Account:
        """As `with_token`, and the code that activates it is sent: by mail if it has an address, else by SMS."""
        account = replace(self._made(new, origin), provisioning_token=random_text(TOKEN_LENGTH))
        account = await self._spending(token, account)
        try:
            return await self._confirm(account)
        except (DeliveryFailed, TooManyRequests) as error:
            log.warning("confirmation not sent", account=account.id, reason=type(error).__name__)
            return account

    async def by_admin(self, new: NewAccount, origin: Origin, confirmation_key_expires: datetime | None) -> Account:
        """An account made by an administrator; not activated, it has a key and a token that activate it."""
        account = self._made(new, origin)
        if not new.activated:
            expires = confirmation_key_expires
            account = replace(
                account,
                confirmation=Confirmation(key=random_text(TOKEN_LENGTH), expires_at=expires),
                provisioning_token=random_text(TOKEN_LENGTH),
                provisioning_token_at=account.created_at,
                activation_expiration=await self._expiration(expires),
            )
        return await self._add(account)

    async def _expiration(self, expires: datetime | None) -> ActivationExpiration | None:
        if expires is None:
            return None
        now = self._clock.second()
        return ActivationExpiration(await self._store.counters.next("activation_expirations"), expires, now, now)

    def _made(self, new: NewAccount, origin: Origin) -> Account:
        now = self._clock.second()
        password = self._passwords.stored(new.username, new.domain, new.algorithm, new.password)
        return Account(
            id=0,
            username=new.username,
            domain=new.domain,
            created_at=now,
            updated_at=now,
            activated=new.activated,
            activated_at=now if new.activated else None,
            email=new.email,
            phone=new.phone,
            display_name=new.display_name,
            dtmf_protocol=new.dtmf_protocol,
            ip_address=origin.address,
            user_agent=origin.user_agent,
            admin_since=now if new.admin else None,
            passwords=(password,),
            provisioning_token_at=None if new.activated else now,
        )

    async def _spending(self, token: str, account: Account) -> Account:
        """Consume the token first: a crash in between costs a token, never makes two accounts."""
        if not await self._store.creation_tokens.consume(token, self._clock.now()):
            text = "account_creation_token is unknown, used or expired"
            raise ValidationFailed({"account_creation_token": [text]})
        try:
            return await self._add(replace(account, creation_token_hash=token_hash(token)))
        except ApiError as error:
            # Without an answer of the database the account may be there: then the token must stay used.
            if not isinstance(error, StoreUnavailable):
                await self._store.creation_tokens.give_back(token)
            raise

    async def _add(self, account: Account) -> Account:
        try:
            async with self._externals.claimed() as claim:
                added = await self._store.accounts.add(replace(account, external_account=claim.external))
                claim.account_id = added.id
                return added
        except IdentifierTaken as error:
            # A number that serves as the name was asked for as a number.
            raise taken(error, None if account.username == account.phone else account.username) from error

    async def _confirm(self, account: Account) -> Account:
        now = self._clock.second()
        if account.email is not None:
            life = timedelta(hours=self._settings.activation_hours)
            key = random_text(TOKEN_LENGTH)
            account = await self._pending(account, Confirmation(key=key, expires_at=now + life))
            await self._notices.mail(account.email or "", AccountConfirmationMail(account.address, key, life))
        elif account.phone is not None:
            life = self._settings.pin_life
            pin = random_pin()
            pin_hash = self._codes.hash(pin, account.id, "confirmation", account.phone)
            account = await self._pending(account, Confirmation(pin_hash=pin_hash, expires_at=now + life))
            await self._notices.text(account.phone or "", AccountConfirmationSms(pin, life))
        return account

    async def _pending(self, account: Account, confirmation: Confirmation) -> Account:
        return await self._store.accounts.update(account, confirmation=confirmation) or account
