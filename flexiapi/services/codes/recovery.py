"""Account recovery: by a PIN sent to the phone number, or by a mail that an administrator sends."""

from dataclasses import replace
from datetime import timedelta

from flexiapi.crypto.codes import grouped, random_key, random_pin
from flexiapi.crypto.keys import random_text
from flexiapi.errors import FieldErrors, RecordNotFound, ValidationFailed
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, CodeChannel, Confirmation, Space, e164
from flexiapi.rendering.messages import AccountRecoveredMail, AccountRecoveryMail, AccountRecoverySms
from flexiapi.services.codes.activation import Activation, Confirmations
from flexiapi.services.codes.creation_tokens import CreationTokens, CreationTokenValues
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords

TOKEN_LENGTH = 13


class RecoveryValues(CreationTokenValues, total=False):
    """The values of a recovery by phone that are well-formed."""

    phone: str
    channel: CodeChannel


class Recovery:
    """Recovery codes, and the accounts that they give back.

    A code is stored only after its message was accepted, so that a failed delivery changes nothing.
    """

    def __init__(
        self,
        ground: Ground,
        confirmations: Confirmations,
        activation: Activation,
        passwords: Passwords,
        creation_tokens: CreationTokens,
    ) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._has_page = ground.settings.panel.enabled and ground.settings.panel.phone
        self._pin_life = ground.settings.account.pin_life
        self._key_life = timedelta(hours=ground.settings.account.activation_hours)
        self._codes = ground.codes
        self._confirmations = confirmations
        self._activation = activation
        self._passwords = passwords
        self._creation_tokens = creation_tokens
        self._notices = ground.notices
        self._clock = ground.clock

    async def faults(self, values: RecoveryValues, space: Space) -> FieldErrors:
        """Check the number that asks for its PIN, and the creation token that is to be consumed."""
        refused = await self._creation_tokens.faults(values, space)
        return refused | self._notices.number_faults(values.get("phone"), values.get("channel"))

    async def by_phone(self, phone: str, space: Space) -> tuple[Account, bool]:
        """Return the account of a number in the space, and whether the number is its alias, not its username.

        Raises `RecordNotFound`.
        """
        account = await self._store.accounts.by_phone(phone, space)
        if account is not None and account.phone is not None and e164(account.phone) == e164(phone):
            return account, True
        if account is not None and account.domain in space.names.public_domains:
            return account, False
        raise RecordNotFound

    async def send_pin(self, phone: str, token: str, actor: Actor, *, channel: CodeChannel = "sms") -> None:
        """Send a PIN to the account's number, by that channel, for a creation token.

        An unknown number consumes the token too, so that probing numbers costs tokens. Raises `ValidationFailed` on
        the token, `RecordNotFound`, `TooManyRequests`, `DeliveryFailed`.
        """
        tokens = self._store.creation_tokens
        if not await tokens.consume(token, self._clock.now(), actor):
            text = "account_creation_token is unknown, used or expired"
            raise ValidationFailed({"account_creation_token": [text]})
        try:
            await self.text_pin(phone, actor, channel=channel)
        except RecordNotFound:
            raise
        except BaseException:
            await tokens.give_back(token, actor)
            raise

    async def text_pin(self, phone: str, actor: Actor, *, channel: CodeChannel = "sms") -> None:
        """Send a PIN to the account's number, by that channel.

        Raises `RecordNotFound`, `ValidationFailed` for a number that gets none, `TooManyRequests`, `DeliveryFailed`.
        """
        pin = random_pin()
        account, number = await self._recoverable(phone, actor.space or self._spaces.default)
        sms = AccountRecoverySms(pin, self._pin_life, account.domain, self._link(account, number, pin))
        await self._notices.text(number, sms, account, actor, channel=channel)
        pin_hash = self._codes.hash(pin, account.id, "confirmation", number)
        now, network = self._clock.second(), counted_as(actor.address)
        networks = account.networks_asking(network, now)
        confirmation = Confirmation(pin_hash=pin_hash, expires_at=now + self._pin_life, networks=networks)
        existing(await self._store.accounts.apply(account.await_recovery_pin(confirmation, now), actor))

    def _link(self, account: Account, number: str, pin: str) -> str | None:
        """Return the page of the panel that takes a PIN, `None` where there is none. Opening it changes nothing."""
        space = self._spaces.by_domain.get(account.domain, self._spaces.default)
        return f"{space.url}/recover/{e164(number)}/{pin}" if self._has_page else None

    async def _recoverable(self, phone: str, space: Space) -> tuple[Account, str]:
        """Return the account of a number, and that number as the account has it.

        Raises `RecordNotFound` also if it is blocked or deactivated: a PIN would activate it again.
        """
        account, is_alias = await self.by_phone(phone, space)
        if account.is_shut_out or account.is_blocked:
            raise RecordNotFound
        return account, (account.phone if is_alias else None) or account.username

    async def recover(self, username: str, domain: str, code: str, actor: Actor) -> Account:
        """Give the account back to the holder of its code, and return it with all passwords as hashes.

        It becomes active, and everything that signs in ends but the password. An account whose number was to be proven
        by its creator gets a random password in place of his, and keeps no address or other number of his: he need not
        be the owner of the number. `username` is a phone number of an account before it is a username. Raises as
        `Confirmations.check` and `Activation.use`.
        """
        account, space = None, actor.space or self._spaces.default
        if domain in space.names.public_domains:
            account = await self._store.accounts.by_address_or_alias(username, domain, space.scope)
        if account is None:
            raise RecordNotFound
        account = await self.restore(account, code, actor)
        return replace(account, passwords=self._passwords.hashed(account))

    async def restore(self, account: Account, code: str, actor: Actor) -> Account:
        """Give an account back to the holder of its code, as `recover`. Raises the same."""
        account = await self._confirmations.check(account, code, actor)
        passwords = self._passwords.random(account) if account.has_first_password else None
        is_to_name = self._confirmations.is_to_name(account, code)
        change = account.recover(self._clock.second(), passwords, is_to_name=is_to_name)
        account = await self._activation.use(account, change, actor)
        notice = AccountRecoveredMail(account.address, self._clock.now())
        await self._notices.notify(account.email, notice, account, actor)
        return account

    async def send_mail(self, account: Account, actor: Actor) -> Account:
        """Mail an account a new key and links that set up a device. Return the account with them.

        Raises `ValidationFailed` when it has no address, `RecordNotFound`, `TooManyRequests`, `DeliveryFailed`.
        """
        if account.is_claim:
            raise ValidationFailed({"email": ["email does not confirm an account that is named by its phone number"]})
        if account.email is None:
            raise ValidationFailed({"email": ["email is not set on this account"]})
        url = self._spaces.of_domain(account.domain).url
        key, token = random_key(), random_text(TOKEN_LENGTH)
        mail = AccountRecoveryMail(
            account.address,
            grouped(key),
            f"{url}/provisioning/{token}?reset_password=1",
            f"{url}/provisioning/qrcode/{token}?reset_password=1",
            f"{url}/setup/{token}?reset_password=1",
            self._key_life,
        )
        await self._notices.mail(account.email, mail, account, actor)
        now = self._clock.second()
        confirmation = Confirmation(key=key, expires_at=now + self._key_life)
        return existing(await self._store.accounts.apply(account.await_recovery(confirmation, token, now), actor))
