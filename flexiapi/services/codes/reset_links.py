"""Mailed links to a page on which the owner of an account chooses a new password."""

import hmac
from datetime import timedelta

from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import NoEmailConfigured, RecordNotFound, ValidationFailed
from flexiapi.model import Account, Actor, Space
from flexiapi.rendering.messages import AccountRecoveredMail, PasswordResetMail
from flexiapi.services.codes.activation import Activation
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords
from flexiapi.store import MailedTo

# 190 bits.
TOKEN_LENGTH = 32
LIFE = timedelta(hours=24)


class ResetLinks:
    """Links that each set one new password.

    All of an account end with its sign-ins, and so by the first use of one, and with the address they were mailed to.
    """

    def __init__(self, ground: Ground, activation: Activation, passwords: Passwords) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._activation = activation
        self._passwords = passwords
        self._notices = ground.notices
        self._limiter = ground.limiter
        self._clock = ground.clock

    async def send(self, account: Account, actor: Actor) -> None:
        """Mail an account a link, for an administrator.

        It is stored only after the mail was accepted. Raises `NoEmailConfigured`, `ValidationFailed` when a link would
        not reach the owner, `TooManyRequests`, `DeliveryFailed`.
        """
        if account.email is None:
            raise NoEmailConfigured
        if account.is_claim:
            raise ValidationFailed({"email": ["email does not confirm an account that is named by its phone number"]})
        if account.is_shut_out or account.is_blocked:
            raise ValidationFailed(
                {"email": ["email cannot be sent a link while the account is deactivated or blocked"]}
            )
        await self._limiter.count("codes", str(account.id))
        token, link = self.new(account)
        await self._notices.mail(account.email, PasswordResetMail(account.address, link, LIFE), account, actor)
        await self.keep(token, account, actor)

    def new(self, account: Account) -> tuple[str, str]:
        """Return a new token for an account, and its link. It works once it is kept."""
        token = random_text(TOKEN_LENGTH)
        return token, f"{self._spaces.of_domain(account.domain).url}/reset_password/{token}"

    async def keep(self, token: str, account: Account, actor: Actor) -> None:
        """Store a token, whose mail was accepted."""
        now, space = self._clock.second(), self._spaces.of_domain(account.domain)
        mailed = MailedTo(account.id, account.sign_in_epoch, token_hash(account.email or ""))
        await self._store.reset_links.keep(token, space, mailed, now, now + LIFE, actor)

    async def holder(self, token: str, space: Space) -> Account:
        """Return the account of a link, without using it.

        Raises `RecordNotFound` for one that is unknown, expired or used, or whose account was signed out everywhere or
        has another address since.
        """
        return await self._account_of(await self._store.reset_links.holder(token, self._clock.now(), space), space)

    async def _account_of(self, mailed: MailedTo | None, space: Space) -> Account:
        account = None if mailed is None else await self._store.accounts.by_id(mailed.account_id, space.scope)
        if mailed is None or account is None or account.sign_in_epoch != mailed.epoch:
            raise RecordNotFound
        if not hmac.compare_digest(token_hash(account.email or ""), mailed.address_hash):
            raise RecordNotFound
        if account.is_shut_out or account.is_blocked or account.email is None or account.is_claim:
            raise RecordNotFound
        return account

    async def use(self, token: str, password: str, actor: Actor) -> Account:
        """Set the password that the holder of a link chose, once. It ends everything that signs in.

        The link is used up before: a crash in between costs the link. Raises `RecordNotFound`, and `ValidationFailed`
        if another account proved the address first.
        """
        space = actor.space or self._spaces.default
        mailed = await self._store.reset_links.consume(token, self._clock.now(), actor)
        account = await self._account_of(mailed, space)
        change = account.reset_password(self._passwords.renewed(account, password), self._clock.second())
        changed = existing(await self._activation.applied(change, actor))
        notice = AccountRecoveredMail(changed.address, self._clock.now())
        await self._notices.notify(changed.email, notice, changed, actor)
        return changed
