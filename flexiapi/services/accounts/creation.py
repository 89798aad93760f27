"""Account creation: with a creation token, by an administrator. `sign_up` adds a confirmation code."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from flexiapi.crypto.codes import random_key
from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import ApiError, StoreUnavailable, ValidationFailed
from flexiapi.model import Account, ActivationExpiration, Actor, Change, Confirmation, Granted
from flexiapi.services.accounts.details import AccountDetails, entries_of
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.external_accounts import ClaimedExternal, ExternalAccounts
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
        self._spaces = ground.spaces
        self._passwords = passwords
        self._notices = ground.notices
        self._clock = ground.clock

    async def with_token(self, new: AccountDetails, token: str, actor: Actor) -> Account:
        """Create an account by a creation token. Its provisioning will activate it.

        Raises `ValidationFailed` on the token, or for a name that was taken meanwhile, and `NoExternalAccountLeft`.
        """
        async with self.spending(token, actor) as granted:
            return await self.add(self.by_token(new, token, actor, granted), actor)

    async def by_admin(
        self, new: AccountDetails, actor: Actor, *, activated: bool, expires: datetime | None
    ) -> Account:
        """Create an account for an administrator.

        One that is not `activated` has a confirmation key, until `expires`, and a provisioning token that activate it.
        Raises `ValidationFailed` for a name that was taken meanwhile, and `NoExternalAccountLeft`.
        """
        domain = self._accounts.domain_for_admin(new.domain, actor.space)
        if activated:
            return await self.add(self._new(new, domain, actor, activated=True), actor)
        now = self._clock.second()
        expiration = None if expires is None else await self._expiration(expires, now)
        change = self._new(
            new,
            domain,
            actor,
            confirmation=Confirmation(key=random_key(), expires_at=expires),
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=now,
            provisioning_by="admin",
            activation_expiration=expiration,
        )
        return await self.add(change, actor)

    async def _expiration(self, expires: datetime, now: datetime) -> ActivationExpiration:
        return ActivationExpiration(await self._store.counters.next("activation_expirations"), expires, now, now)

    def _new(
        self, new: AccountDetails, domain: str, actor: Actor, *, activated: bool = False, **fields: Any
    ) -> Change[Account]:
        password = self._passwords.stored(new.username, domain, new.algorithm, new.password)
        given: dict[str, Any] = {
            "username": new.username,
            "domain": domain,
            "email": new.email,
            "phone": new.phone,
            "display_name": new.display_name,
            "dtmf_protocol": new.dtmf_protocol,
            "language": new.language,
            "dictionary": entries_of(new.dictionary) if new.dictionary else (),
            "ip_address": actor.address,
            "user_agent": actor.user_agent,
            "passwords": (password,),
            "blocked_at": self._clock.second() if new.blocked else None,
        }
        return Account.new(self._clock.second(), activated=activated, is_admin=new.admin, **{**given, **fields})

    @contextlib.asynccontextmanager
    async def spending(self, token: str, actor: Actor) -> AsyncIterator[Granted]:
        """Consume a creation token, then create the account in the block: a crash cannot lead to two accounts.

        Yields what the account gets by it. A failure gives the token back. Raises `ValidationFailed` on the token.
        """
        tokens, invited = self._store.creation_tokens, None
        now = self._clock.now()
        if not await tokens.consume(token, now, actor, creates=True):
            invited = await self._store.invitations.use(token, now, actor)
            if invited is None:
                text = "account_creation_token is unknown, used or expired"
                raise ValidationFailed({"account_creation_token": [text]})
        try:
            yield Granted() if invited is None else await self._still_there(invited, actor)
        except ApiError as error:
            # Without an answer of the database the account may be there: then the token must stay used.
            if not isinstance(error, StoreUnavailable):
                await (tokens if invited is None else self._store.invitations).give_back(token, actor)
            raise

    async def _still_there(self, granted: Granted, actor: Actor) -> Granted:
        """Return what an invitation gives without the types and lists that were removed since it was made."""
        space = actor.space or self._spaces.default
        types = await self._store.types.by_ids(granted.type_ids) if granted.type_ids else {}
        lists = await self._store.contacts_lists.by_ids(granted.contacts_list_ids, space)
        known = {one.id for one in lists}
        return Granted(
            tuple(one for one in granted.type_ids if one in types),
            tuple(one for one in granted.contacts_list_ids if one in known),
        )

    def by_token(
        self, new: AccountDetails, token: str, actor: Actor, granted: Granted, **fields: Any
    ) -> Change[Account]:
        """Return the creation of an account by a creation token. It remembers the language that the caller prefers."""
        return self._new(
            new,
            new.domain or (actor.space or self._spaces.default).domain,
            actor,
            provisioning_token=random_text(TOKEN_LENGTH),
            provisioning_token_at=self._clock.second(),
            creation_token_hash=token_hash(token, actor.stored_space),
            type_ids=granted.type_ids,
            contacts_list_ids=granted.contacts_list_ids,
            language=self._notices.preferred_language(actor) if actor.accept_language else None,
            **fields,
        )

    @contextlib.asynccontextmanager
    async def room(self, domain: str, actor: Actor) -> AsyncIterator[ClaimedExternal | None]:
        """Hold what an account needs that the block adds in place of another: its external account, if it gets one.

        Raises `NoExternalAccountLeft`, and `SpaceFull` where there are more accounts already than there may be.
        """
        await self._store.quotas.refuse_excess(domain)
        async with self._externals.claimed(actor) as claimed:
            yield claimed

    async def add(self, change: Change[Account], actor: Actor, claimed: ClaimedExternal | None = None) -> Account:
        """Apply the creation of an account, whose external account may be `claimed` already.

        Raises `ValidationFailed` for a name that was taken meanwhile.
        """
        try:
            return await self._externals.add_account(change, actor, claimed)
        except IdentifierTaken as error:
            new = change.after
            # A number that serves as the name was asked for as a number.
            name = None if new is None or new.username in (new.phone, new.claimed_phone) else new.username
            raise taken(error, name) from error
