"""Sessions of the panel: begun by a proof, read by each request, ended on all hosts at once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import SessionRequired
from flexiapi.model import Account, Actor, PanelSession, SignInMethod, Space
from flexiapi.observing import log
from flexiapi.rendering.messages import SessionsEndedMail
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.places import SignInPlaces

_TOKEN_BYTES = 32
_SEEN_EVERY = timedelta(minutes=1)
_MOST_PER_ACCOUNT = 50
_LONGEST_AGENT = 256
_PROOFS = (SignInMethod.PASSWORD, SignInMethod.CODE)


@dataclass(frozen=True, slots=True)
class NewSession:
    """The secret of a session, and the life of its cookie in seconds; `None` ends it with the browser."""

    token: str = field(repr=False)
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class SessionIdentity:
    """An account that is signed in by a session."""

    account: Account
    session: PanelSession
    headers: Sequence[tuple[str, str]] = ()
    scopes: ClassVar[None] = None

    @property
    def label(self) -> str:
        """The account's id, for the log."""
        return str(self.account.id)

    @property
    def is_active_admin(self) -> bool:
        """True if Admin operations are allowed."""
        return self.account.is_admin and self.account.activated

    @property
    def is_limited(self) -> bool:
        """True if it may only activate its account."""
        return self.session.is_limited

    def confirmed_within(self, age: timedelta, now: datetime) -> bool:
        """Return whether the last proof by password or code is no older."""
        confirmed_at = self.session.confirmed_at
        return confirmed_at is not None and now - confirmed_at < age


class Sessions:
    """The sessions of the panel.

    A session ends with its time, and when everything that signs in to its account does (its epoch differs), when the
    account is deactivated, blocked or removed, and by hand. A limited one, which may only activate its account, also
    ends when that is done. A token of another service than that of its account is unknown.
    """

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store.sessions
        self._accounts = ground.store.accounts
        self._spaces = ground.spaces
        self._settings = ground.settings.panel
        self._places = SignInPlaces(ground)
        self._notices = ground.notices
        self._clock = ground.clock

    async def begin(
        self,
        account: Account,
        actor: Actor,
        method: SignInMethod,
        *,
        stays: bool = False,
        is_limited: bool = False,
        in_place_of: str = "",
    ) -> NewSession:
        """Begin a session, which `stays` when the browser is closed if the settings offer that.

        The one that the browser had before, whose secret is `in_place_of`, ends.
        Raises `SessionRequired` if the account was deactivated, blocked or removed since it was read, or if its
        sign-ins were ended.
        """
        now = self._clock.now()
        stays = stays and bool(self._settings.lasting_life)
        expires_at = now + (self._settings.lasting_life if stays else self._settings.life)
        session = PanelSession(
            id_hash=b"",
            account_id=account.id,
            epoch=account.sign_in_epoch,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            idle_until=expires_at if stays else min(expires_at, now + self._settings.idle_life),
            ip=actor.address,
            user_agent=actor.user_agent[:_LONGEST_AGENT],
            method=method,
            confirmed_at=now if method in _PROOFS else None,
            is_limited=is_limited,
            stays=stays,
        )
        begun = await self._stored(session, account)
        if in_place_of:
            await self._store.drop(token_hash(in_place_of))
        log.info("session begun", by=method.value, account=account.id, ip=actor.address)
        await self._places.note(account, actor, method)
        return begun

    async def _stored(self, session: PanelSession, account: Account) -> NewSession:
        """Store a session under a new secret, unless it could not be used."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        session = replace(session, id_hash=token_hash(token))
        await self._store.add(session, _MOST_PER_ACCOUNT)
        # After the insertion: what ends the sessions of an account from now on finds this one.
        current = await self._accounts.by_id(account.id, self._spaces.of_domain(account.domain).scope)
        if current is None or not _may_use(session, current):
            await self._store.end(session.id_hash, session.account_id)
            raise SessionRequired
        left = session.expires_at - self._clock.now()
        return NewSession(token, int(left.total_seconds()) if session.stays else None)

    async def resume(self, token: str, address: str, space: Space) -> SessionIdentity:
        """Return the identity of a session of the space, and note its use. Raises `SessionRequired`."""
        session, now = await self._store.by_hash(token_hash(token)), self._clock.now()
        if session is None or session.is_over(now):
            raise SessionRequired
        account = await self._accounts.by_id(session.account_id, space.scope)
        if account is None or not _may_use(session, account):
            raise SessionRequired
        if now - session.seen_at >= _SEEN_EVERY:
            idle_until = min(session.expires_at, now + self._settings.idle_life)
            await self._store.touch(session, now, idle_until, address)
        return SessionIdentity(account, session)

    def is_confirmed(self, identity: SessionIdentity, within: timedelta) -> bool:
        """Return whether the owner of a session proved who it is within this time."""
        return identity.confirmed_within(within, self._clock.now())

    async def confirm(self, session: PanelSession) -> None:
        """Note that the account was proven now, by password or code."""
        await self._store.confirm(session.id_hash, self._clock.now())

    async def renew(self, session: PanelSession, account: Account, actor: Actor) -> NewSession:
        """Give a session a new secret and the present epoch of its account, after a change of one's own password.

        Its time and rights stay. Raises the same as `begin`.
        """
        await self._store.end(session.id_hash, session.account_id)
        return await self._stored(replace(session, epoch=account.sign_in_epoch, ip=actor.address), account)

    async def end(self, session: PanelSession) -> None:
        """End a session."""
        await self._store.end(session.id_hash, session.account_id)

    async def end_by_hash(self, account: Account, id_hash: bytes) -> bool:
        """End a session of an account. Return False if it has none with the hash."""
        return await self._store.end(id_hash, account.id)

    async def end_others(self, session: PanelSession) -> int:
        """End all other sessions of the account of a session. Return their number."""
        return await self._store.remove_of(session.account_id, but=session.id_hash)

    async def sign_out(self, account: Account, id_hash: bytes, actor: Actor) -> bool:
        """End a session of an account by its list, and tell its address. Return False if it has none with the hash."""
        is_ended = await self.end_by_hash(account, id_hash)
        await self._tell(account, int(is_ended), actor)
        return is_ended

    async def sign_out_others(self, account: Account, session: PanelSession, actor: Actor) -> int:
        """End all sessions of an account but one by its list, and tell its address. Return their number."""
        ended = await self.end_others(session)
        await self._tell(account, ended, actor)
        return ended

    async def _tell(self, account: Account, ended: int, actor: Actor) -> None:
        if ended:
            mail = SessionsEndedMail(account.address, self._clock.now(), ended)
            await self._notices.notify(account.proven_email, mail, account, actor)

    async def of(self, account: Account) -> Sequence[PanelSession]:
        """Return the sessions of an account that have not ended, the one that was used last first."""
        found = await self._store.of(account.id, account.sign_in_epoch, self._clock.now())
        return [session for session in found if _may_use(session, account)]


def _may_use(session: PanelSession, account: Account) -> bool:
    """Return whether a session has not ended by a change of its account."""
    if session.epoch != account.sign_in_epoch or account.is_shut_out or account.is_blocked:
        return False
    return not (session.is_limited and account.activated)
