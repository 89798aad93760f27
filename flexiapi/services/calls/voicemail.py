"""Voicemail: announcing, storing, reading and removing the messages that callers leave."""

import contextlib
import secrets
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from flexiapi.errors import RecordNotFound, StoreUnavailable, TooManyRequests, VoicemailFull
from flexiapi.model import Account, Actor, SoundType, Space, Voicemail, VoicemailBox, VoicemailSlot
from flexiapi.services.calls.sounds import written
from flexiapi.services.ground import Ground

_RANDOM_BYTES = 16
_MOST_SLOTS = 200
_AT_ONCE = 100
_LEFT_BEHIND = timedelta(hours=1)
"""The age of a leftover that no upload writes any more, beside the longest time that an upload may take."""
_UPLOADS = 4


@dataclass(frozen=True, slots=True)
class AnnouncedVoicemail:
    """A slot, and the secret of the URL that fills it."""

    slot: VoicemailSlot
    secret: str = field(repr=False)


class Voicemails:
    """The voicemails of accounts, within the quota of each."""

    def __init__(self, ground: Ground) -> None:
        self.settings = ground.settings.voicemail
        self._store = ground.store.voicemails
        self._files = ground.store.voicemails.files
        self._accounts = ground.store.accounts
        self._spaces = ground.spaces
        self._clock = ground.clock

    async def announce(
        self, account: Account, caller: str | None, sound: SoundType, actor: Actor
    ) -> AnnouncedVoicemail:
        """Make a slot that one upload to the actor's space fills.

        Raises `VoicemailFull`, `TooManyRequests` with too many slots that nothing came for, and `RecordNotFound`.
        """
        now, settings = self._clock.now(), self.settings
        box = await self._store.box(account.id, now)
        if len(box.voicemails) >= settings.files or box.size >= settings.most_bytes_of_account:
            raise VoicemailFull
        slot = VoicemailSlot(_random_id(), account.id, caller, sound, now, now + settings.slot_life)
        secret = _random_id()
        if not await self._store.announce(slot, secret, actor.stored_space):
            raise RecordNotFound
        # Counted with the new one, so that parallel requests do not make more.
        if await self._store.open_slots(account.id, now) > _MOST_SLOTS:
            await self._store.close_slot(slot.id, account.id)
            raise TooManyRequests(int(settings.slot_life.total_seconds()))
        return AnnouncedVoicemail(slot, secret)

    async def receive(self, secret: str, content: AsyncIterator[bytes], actor: Actor) -> Voicemail:
        """Store the file of a slot, which is found before the content is read.

        Raises `RecordNotFound` without such a slot, `BodyTooLarge`, `ValidationFailed` for a file of another type,
        `VoicemailFull`, and what reading the content does. Nothing is stored then, and the slot stays.
        """
        now = self._clock.now()
        slot = await self._store.slot(secret, actor.stored_space, now)
        if slot is None:
            raise RecordNotFound
        file_id = await self._files.begin(now)
        try:
            size = await written(self._files, file_id, content, slot.type, self.settings.most_bytes)
            voicemail = await self._added(slot, file_id, size, secret, actor)
        except StoreUnavailable:
            # Whether the voicemail has the file is unknown: the sweep finds out.
            raise
        except BaseException:
            with contextlib.suppress(StoreUnavailable):
                await self._files.remove(file_id)
            raise
        # The sweep does this too, should the database go away now.
        with contextlib.suppress(StoreUnavailable):
            await self._files.keep(file_id)
            await self._store.close_slot(slot.id, slot.account_id)
        return voicemail

    async def _added(self, slot: VoicemailSlot, file_id: str, size: int, secret: str, actor: Actor) -> Voicemail:
        now, settings = self._clock.now(), self.settings
        voicemail = Voicemail(
            id=slot.id,
            account_id=slot.account_id,
            caller=slot.caller,
            type=slot.type,
            size=size,
            created_at=slot.created_at,
            uploaded_at=now,
            expires_at=now + settings.life,
            file_id=file_id,
            link=_random_id(),
        )
        await self._files.complete(file_id, size, voicemail.name, now)
        most, most_bytes = settings.files, settings.most_bytes_of_account
        if await self._store.add(voicemail, actor, most=most, most_bytes=most_bytes) is None:
            await self._refuse(secret, actor)
        return voicemail

    async def _refuse(self, secret: str, actor: Actor) -> NoReturn:
        slot = await self._store.slot(secret, actor.stored_space, self._clock.now())
        raise RecordNotFound if slot is None else VoicemailFull

    async def box_of(self, account: Account) -> VoicemailBox:
        """Return the voicemails of an account, the newest first."""
        return await self._store.box(account.id, self._clock.now())

    async def if_any(self, account_id: int, voicemail_id: str) -> Voicemail | None:
        """Return a voicemail of the account with the id, if it exists."""
        return await self._store.one(account_id, voicemail_id, self._clock.now())

    async def one_of(self, account: Account, voicemail_id: str) -> Voicemail:
        """Return a voicemail of an account. Raises `RecordNotFound`."""
        return _existing(await self._store.one(account.id, voicemail_id, self._clock.now()))

    async def by_link(self, link: str, name: str, space: Space) -> Voicemail:
        """Return the voicemail of a URL of the space.

        Raises `RecordNotFound`, also while its account is deactivated or blocked.
        """
        voicemail = _existing(await self._store.by_link(link, self._clock.now()))
        account = await self._accounts.by_id(voicemail.account_id, space.scope)
        if voicemail.name != name or account is None or account.is_shut_out or account.is_blocked:
            raise RecordNotFound
        return voicemail

    def url_of(self, voicemail: Voicemail, account: Account) -> str | None:
        """Return the URL of the sound, which needs no sign-in; `None` if its secret cannot be read any more."""
        space = self._spaces.of_domain(account.domain)
        return f"{space.url}/f/{voicemail.link}/{voicemail.name}" if voicemail.link else None

    def content(self, voicemail: Voicemail, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a file from `start` to before `stop`, piece by piece."""
        return self._files.pieces(voicemail.file_id, start, stop)

    async def remove(self, account: Account, voicemail_id: str, actor: Actor) -> None:
        """Remove a voicemail of an account with its file. Raises `RecordNotFound`."""
        voicemail = await self.one_of(account, voicemail_id)
        await self._remove(voicemail, actor, "voicemail.removed")

    async def _remove(self, voicemail: Voicemail, actor: Actor, event: str) -> None:
        await self._files.leave([voicemail.file_id], self._clock.now())
        await self._store.remove(voicemail, actor, event)
        await self._files.remove(voicemail.file_id)

    async def sweep(self, actor: Actor) -> int:
        """Remove what has expired, and files that no voicemail has. Return how many of both."""
        now, count = self._clock.now(), 0
        while expired := await self._store.expired(now, _AT_ONCE):
            for voicemail in expired:
                await self._remove(voicemail, actor, "voicemail.expired")
            count += len(expired)
        before = now - _LEFT_BEHIND - _UPLOADS * timedelta(seconds=self.settings.upload_seconds)
        while left := await self._files.left_behind(before, _AT_ONCE):
            for file_id in left:
                count += await self._swept(file_id)
        return count

    async def _swept(self, file_id: str) -> int:
        if await self._store.is_kept(file_id):
            await self._files.keep(file_id)
            return 0
        await self._files.remove(file_id)
        return 1


def _random_id() -> str:
    """Return 128 random bits, written as a UUID."""
    return str(uuid.UUID(bytes=secrets.token_bytes(_RANDOM_BYTES)))


def _existing(voicemail: Voicemail | None) -> Voicemail:
    if voicemail is None:
        raise RecordNotFound
    return voicemail
