"""The way back into an account: a PIN to its phone, or a mail that an administrator has sent."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from flexiapi.crypto.codes import Codes, random_pin
from flexiapi.crypto.keys import random_text
from flexiapi.errors import RecordNotFound, ValidationFailed
from flexiapi.model import Account, Actor, Confirmation
from flexiapi.rendering.messages import AccountRecoveryMail, AccountRecoverySms
from flexiapi.services.clock import Clock
from flexiapi.services.codes.activation import Activation, Confirmations
from flexiapi.services.codes.notices import Notices
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.settings import Settings
from flexiapi.store import Store

TOKEN_LENGTH = 13


class Recovery:
    """Sends codes, and gives the passwords' hashes to whoever has one.

    A code is kept only after its message was accepted, so that a refused one changes nothing.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        codes: Codes,
        confirmations: Confirmations,
        activation: Activation,
        passwords: Passwords,
        notices: Notices,
        clock: Clock,
        public_domains: Collection[str],
    ) -> None:
        self._store = store
        self._public_domains = public_domains
        self._url = settings.app.url
        self._pin_life = settings.account.pin_life
        self._key_life = timedelta(hours=settings.account.activation_hours)
        self._codes = codes
        self._confirmations = confirmations
        self._activation = activation
        self._passwords = passwords
        self._notices = notices
        self._clock = clock

    async def by_phone(self, phone: str) -> tuple[Account, bool]:
        """The account of a number, and whether that is its alias and not its name. Raises `RecordNotFound`."""
        account = await self._store.accounts.by_phone(phone)
        if account is not None and account.phone == phone:
            return account, True
        if account is not None and account.domain in self._public_domains:
            return account, False
        raise RecordNotFound

    async def send_pin(self, phone: str, token: str, actor: Actor) -> None:
        """Send a PIN to the account's number, for a creation token.

        The token is used up also when nobody has the number, so that numbers are not probed for free. Raises
        `ValidationFailed` on the token, `RecordNotFound`, `TooManyRequests`, `DeliveryFailed`.
        """
        tokens = self._store.creation_tokens
        if not await tokens.consume(token, self._clock.now(), actor):
            text = "account_creation_token is unknown, used or expired"
            raise ValidationFailed({"account_creation_token": [text]})
        pin = random_pin()
        try:
            account = await self._recoverable(phone)
            await self._notices.text(phone, AccountRecoverySms(pin, self._pin_life))
            pin_hash = self._codes.hash(pin, account.id, "confirmation", phone)
            expires_at = self._clock.second() + self._pin_life
            confirmation = Confirmation(pin_hash=pin_hash, expires_at=expires_at)
            existing(await self._store.accounts.apply(account.await_code(confirmation), actor))
        except RecordNotFound:
            raise
        except BaseException:
            await tokens.give_back(token, actor)
            raise

    async def _recoverable(self, phone: str) -> Account:
        """Whom an administrator has deactivated, a PIN must not activate again."""
        account, _ = await self.by_phone(phone)
        if account.is_shut_out:
            raise RecordNotFound
        return account

    async def recover(self, username: str, domain: str, code: str, actor: Actor) -> Account:
        """The account that the code gives back, activated, with passwords hashed as clients store them.

        A name that is an alias counts as such first. Raises as `Confirmations.check`.
        """
        account = None
        if domain in self._public_domains:
            account = await self._store.accounts.by_address_or_alias(username, domain)
        if account is None:
            raise RecordNotFound
        account = await self._activation.use_code(await self._confirmations.check(account, code, actor), actor)
        return replace(account, passwords=self._passwords.hashed(account))

    async def send_mail(self, account: Account, actor: Actor) -> Account:
        """Mail an account a fresh key and provisioning links; the account with them.

        Raises `ValidationFailed` when it has no address, `RecordNotFound`, `TooManyRequests`, `DeliveryFailed`.
        """
        if account.email is None:
            raise ValidationFailed({"email": ["email is not set on this account"]})
        key, token = random_text(TOKEN_LENGTH), random_text(TOKEN_LENGTH)
        mail = AccountRecoveryMail(
            account.address,
            key,
            f"{self._url}/provisioning/{token}?reset_password=1",
            f"{self._url}/provisioning/qrcode/{token}?reset_password=1",
            self._key_life,
        )
        await self._notices.mail(account.email, mail)
        now = self._clock.second()
        confirmation = Confirmation(key=key, expires_at=now + self._key_life)
        return existing(await self._store.accounts.apply(account.await_recovery(confirmation, token, now), actor))
