"""Who is provisioned with what: single-use tokens, the signed-in account, QR codes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flexiapi.crypto.keys import random_text
from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Algorithm
from flexiapi.provisioning import qr
from flexiapi.provisioning.provisioning import ProvisioningDocuments
from flexiapi.rendering.messages import PasswordChangedMail
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.services.sign_in.signing_out import ended, still_signed_in
from flexiapi.settings import AccountSettings
from flexiapi.store import Store

TOKEN_LENGTH = 13
RESET_PASSWORD_LENGTH = 16

Headers = Mapping[str, str]


class Provisioning:
    """Gives out provisioning documents and the tokens that lead to them."""

    def __init__(
        self,
        store: Store,
        documents: ProvisioningDocuments,
        passwords: Passwords,
        notices: Notices,
        settings: AccountSettings,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._documents = documents
        self._passwords = passwords
        self._notices = notices
        self._token_life = timedelta(hours=settings.provisioning_token_hours)
        self._url = public_url
        self._clock = clock

    def base(self, query: Mapping[str, str], headers: Headers) -> bytes:
        """The document for nobody in particular."""
        return self._documents.base(query, headers)

    def of(self, account: Account, query: Mapping[str, str], headers: Headers) -> bytes:
        """The document of a signed-in account."""
        return self._documents.of(account, query, headers)

    async def by_token(self, token: str, query: Mapping[str, str], headers: Headers) -> tuple[bytes, bool]:
        """The document that a token is good for, once, and whether it was good; if not, that for nobody.

        It activates the account. With `reset_password` in the query the account gets a new random password.
        """
        account, reset = await self._holder(token), "reset_password" in query
        if account is None:
            return self.base(query, headers), False
        changes = self._changes(account, reset=reset)
        # A document that cannot be made must cost neither the token nor the password.
        document = self.of(replace(account, **changes), query, headers)
        accounts = self._store.accounts
        if await accounts.consume_provisioning_token(account, token, sign_out=reset, **changes) is None:
            return self.base(query, headers), False
        if reset and account.activated:
            await self._notices.notify(account.email, PasswordChangedMail(account.address, self._clock.now()))
        return document, True

    async def _holder(self, token: str) -> Account | None:
        account = await self._store.accounts.by_provisioning_token(token)
        if account is None:
            return None
        now = self._clock.now()
        given = account.provisioning_token_at
        if self._token_life and given is not None and given + self._token_life <= now:
            return None
        expiration = account.activation_expiration
        if not account.activated and expiration is not None and expiration.expires <= now:
            return None
        return account

    def _changes(self, account: Account, *, reset: bool) -> dict[str, Any]:
        now = self._clock.second()
        changes: dict[str, Any] = {"updated_at": now}
        if not account.activated:
            changes |= {"activated": True, "activated_at": account.activated_at or now}
            changes |= {"confirmation": None, "activation_expiration": None}
        if reset:
            password = random_text(RESET_PASSWORD_LENGTH)
            stored = self._passwords.stored(account.username, account.domain, Algorithm.SHA_256, password)
            changes |= {"passwords": (stored,), **ended()}
        return changes

    async def new_token(self, account: Account) -> Account:
        """The account with a fresh token in place of the one before.

        Raises `RecordNotFound`, also when the account was signed out everywhere since it was read: a deactivation would
        else leave a token that activates again.
        """
        now = self._clock.second()
        changed = await self._store.accounts.update(
            account,
            expecting=still_signed_in(account),
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=now,
            updated_at=now,
        )
        if changed is None:
            raise RecordNotFound
        return changed

    async def qr_code(self, token: str, *, reset_password: bool) -> tuple[bytes, str]:
        """A PNG image and the URL in it, for a token that can be used. Raises `RecordNotFound`."""
        if await self._holder(token) is None:
            raise RecordNotFound
        url = f"{self._url}/provisioning/{token}" + ("?reset_password=1" if reset_password else "")
        return await asyncio.to_thread(qr.png, url), url
