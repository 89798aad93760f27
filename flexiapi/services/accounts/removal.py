"""Account deletion, including tombstones and dangling references."""

from datetime import timedelta

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Actor, Change
from flexiapi.rendering.messages import AccountDeletedMail
from flexiapi.services.accounts.forwarded_contacts import ForwardedContacts
from flexiapi.services.accounts.last_admin import LastAdminGuard
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.store import Removal

_TRIES = 3


class AccountRemoval:
    """Removal in an order that lets no one sign in after a crash in between."""

    def __init__(self, ground: Ground, guard: LastAdminGuard, forwarded_contacts: ForwardedContacts) -> None:
        self._forwarded_contacts = forwarded_contacts
        self._store = ground.store
        self._guard = guard
        self._tombstone_life = timedelta(days=ground.settings.account.tombstone_days)
        self._notices = ground.notices
        self._clock = ground.clock

    async def remove(self, account: Account, actor: Actor) -> None:
        """Leave a tombstone, remove the account, then what refers to it. Tell its owner of a removal in its own name.

        Raises `LastAdmin`, `RecordNotFound`.
        """
        reach = (actor.space or self._store.spaces.default).reach
        current: Account | None = account
        for _ in range(_TRIES):
            if await self._is_removed(existing(current), actor):
                await self.heal()
                await self._tell(account, actor)
                return
            # It is gone, or in another domain now, where another administrator may have to stay.
            current = await self._store.accounts.by_id(account.id, reach)
        raise RecordNotFound

    async def _is_removed(self, account: Account, actor: Actor) -> bool:
        async with self._guard.without(account):
            now = self._clock.now()
            ends_at = now + self._tombstone_life if self._tombstone_life else None
            await self._store.tombstones.add(account.address, now, ends_at)
            await self._store.removals.begin(Removal(account.id, account.creation_token_hash))
            return await self._store.accounts.apply(account.remove(), actor) is not None

    async def _tell(self, account: Account, actor: Actor) -> None:
        if actor.account_id == account.id:
            mail = AccountDeletedMail(account.address, self._clock.now())
            await self._notices.notify(account.proven_email, mail, account, actor)

    async def discard(self, change: Change[Account], actor: Actor, *, keeps_token: bool = False) -> bool:
        """Apply a removal without leaving a tombstone. Return False if it was refused. `heal` must follow.

        With `keeps_token` the creation token of the account stays, to be given back.
        """
        account = change.before
        assert account is not None
        await self._store.removals.begin(Removal(account.id, None if keeps_token else account.creation_token_hash))
        removed = await self._store.accounts.apply(change, actor)
        if removed is None:
            await self._store.removals.end(account.id)
        return removed is not None

    async def heal(self) -> None:
        """Finish all unfinished removals: the one just made, and those that a crash interrupted."""
        for removal in await self._store.removals.unfinished():
            await self._forget(removal)
            await self._store.removals.end(removal.account_id)

    async def _forget(self, removal: Removal) -> None:
        """Remove what refers to a removed account."""
        await self._store.accounts.forget_contact(removal.account_id)
        await self._store.contacts_lists.forget_contact(removal.account_id)
        await self._forwarded_contacts.settle_those_to([removal.account_id], Actor.system())
        await self._store.provisioning_fetches.remove_of(removal.account_id)
        await self._store.cards.remove_of(removal.account_id)
        await self._store.external_accounts.detach(removal.account_id)
        await self._store.auth_tokens.remove_of(removal.account_id)
        await self._store.reset_links.remove_of(removal.account_id)
        await self._store.creation_tokens.remove_of(removal.account_id)
        await self._store.named_keys.remove_of(removal.account_id)
        await self._store.sessions.remove_of(removal.account_id)
        await self._store.sign_in_places.remove_of(removal.account_id)
        files = await self._store.voicemails.file_ids(removal.account_id)
        await self._store.voicemails.files.leave(files, self._clock.now())
        await self._store.voicemails.remove_of(removal.account_id)
        for file_id in files:
            await self._store.voicemails.files.remove(file_id)
        await self._store.sip_reports.removals.forget(removal.account_id)
        if removal.creation_token_hash is not None:
            await self._store.creation_tokens.remove(removal.creation_token_hash)
            await self._store.request_tokens.remove_leading_to(removal.creation_token_hash)
