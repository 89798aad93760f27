"""Account creation: with a creation token, with a confirmation code, by an administrator."""

from datetime import datetime, timedelta
from typing import Any

from flexiapi.crypto.codes import grouped, random_key, random_pin
from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import ApiError, DeliveryFailed, StoreUnavailable, TooManyRequests, ValidationFailed
from flexiapi.model import Account, ActivationExpiration, Actor, Change, Confirmation
from flexiapi.observing import log
from flexiapi.rendering.messages import AccountConfirmationMail, AccountConfirmationSms
from flexiapi.services.accounts.details import AccountDetails
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.external_accounts import ExternalAccounts
from flexiapi.services.ground import Ground
from flexiapi.services.names import taken
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

TOKEN_LENGTH = 13


class Creation:
    """Creation of accounts by administrators and by the public."""

    def __init__(
        self, ground: Ground, accounts: AccountDirectory, passwords: Passwords, externals: ExternalAccounts
    ) -> None:
        self._accounts = accounts
        self._externals = externals
        self._store = ground.store
        self._settings = ground.settings.account
        self._spaces = ground.spaces
        self._passwords = passwords
        self._notices = ground.notices
        self._codes = ground.codes
        self._clock = ground.clock

    async def with_token(self, new: AccountDetails, token: str, actor: Actor) -> Account:
        """Create an account by a creation token. Its provisioning will activate it.

        Raises `ValidationFailed` on the token, or for a name that was taken meanwhile, and `NoExternalAccountLeft`.
        """
        return await self._spending(token, new, actor)

    async def public(self, new: AccountDetails, token: str, actor: Actor) -> Account:
        """Create an account by a creation token and send the code that activates it.

        The code goes by mail if the account has an address, else by SMS. Raises as `with_token`.
        """
        account = await self._spending(token, new, actor)
        try:
            return await self._confirm(account, actor)
        except (DeliveryFailed, TooManyRequests) as error:
            log.warning("confirmation not sent", account=account.id, reason=type(error).__name__)
            return account

    async def by_admin(
        self, new: AccountDetails, actor: Actor, *, activated: bool, expires: datetime | None
    ) -> Account:
        """Create an account for an administrator.

        One that is not `activated` has a confirmation key, until `expires`, and a provisioning token that activate it.
        Raises `ValidationFailed` for a name that was taken meanwhile, and `NoExternalAccountLeft`.
        """
        domain = self._accounts.domain_for_admin(new.domain, actor.space)
        if activated:
            return await self._add(self._new(new, domain, actor, activated=True), actor)
        now = self._clock.second()
        expiration = None if expires is None else await self._expiration(expires, now)
        change = self._new(
            new,
            domain,
            actor,
            confirmation=Confirmation(key=random_key(), expires_at=expires),
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=now,
            activation_expiration=expiration,
        )
        return await self._add(change, actor)

    async def _expiration(self, expires: datetime, now: datetime) -> ActivationExpiration:
        return ActivationExpiration(await self._store.counters.next("activation_expirations"), expires, now, now)

    def _new(
        self, new: AccountDetails, domain: str, actor: Actor, *, activated: bool = False, **fields: Any
    ) -> Change[Account]:
        password = self._passwords.stored(new.username, domain, new.algorithm, new.password)
        return Account.new(
            self._clock.second(),
            activated=activated,
            is_admin=new.admin,
            username=new.username,
            domain=domain,
            email=new.email,
            phone=new.phone,
            display_name=new.display_name,
            dtmf_protocol=new.dtmf_protocol,
            ip_address=actor.address,
            user_agent=actor.user_agent,
            passwords=(password,),
            **fields,
        )

    async def _spending(self, token: str, new: AccountDetails, actor: Actor) -> Account:
        """Consume the token, then create the account, so that a crash in between cannot lead to two accounts."""
        if not await self._store.creation_tokens.consume(token, self._clock.now(), actor):
            text = "account_creation_token is unknown, used or expired"
            raise ValidationFailed({"account_creation_token": [text]})
        change = self._new(
            new,
            new.domain or (actor.space or self._spaces.default).domain,
            actor,
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=self._clock.second(),
            creation_token_hash=token_hash(token, actor.stored_space),
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
            key = random_key()
            account = await self._await_code(account, Confirmation(key=key, expires_at=now + life), actor)
            await self._notices.mail(account.email or "", AccountConfirmationMail(account.address, grouped(key), life))
        elif account.phone is not None:
            life = self._settings.pin_life
            pin = random_pin()
            pin_hash = self._codes.hash(pin, account.id, "confirmation", account.phone)
            account = await self._await_code(account, Confirmation(pin_hash=pin_hash, expires_at=now + life), actor)
            await self._notices.text(account.phone or "", AccountConfirmationSms(pin, life))
        return account

    async def _await_code(self, account: Account, confirmation: Confirmation, actor: Actor) -> Account:
        return await self._store.accounts.apply(account.await_code(confirmation), actor) or account
