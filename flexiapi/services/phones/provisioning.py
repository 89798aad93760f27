"""Provisioning documents: by single-use token, for the signed-in account, as QR code."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flexiapi.crypto.keys import random_text
from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Actor, Algorithm, FetchOutcome, Password, Space, TokenMaker
from flexiapi.provisioning import qr
from flexiapi.provisioning.spaces import SpaceDocuments
from flexiapi.rendering.messages import PasswordChangedMail
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.phones.fetches import Fetches
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

TOKEN_LENGTH = 13
RESET_PASSWORD_LENGTH = 16

_CREDENTIALS = re.compile("auth_info_[0-9]+")
_OPEN_OF_CREDENTIALS = frozenset({"username", "userid", "domain", "realm", "algorithm"})
_SECRET = re.compile(
    r"ha1|passw|passphrase|passcode|secret|token|credential|private|api.?key|(?:^|[_-])(?:pin|pass|pwd)(?:$|[_-])",
    re.IGNORECASE,
)

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetupOffer:
    """The content of a provisioning link, for a person: the account, and the URL for the app as text and as PNG.

    `app_link` opens the app with the URL; it is `None` if the settings name no scheme.
    """

    sip_address: str
    url: str = field(repr=False)
    image: bytes = field(repr=False)
    app_link: str | None = field(repr=False)
    resets_password: bool = False


@dataclass(frozen=True, slots=True)
class ProvisionedEntry:
    """An entry of a provisioning document; `value` is `None` if it is secret."""

    section: str
    name: str
    value: str | None


class Provisioning:
    """Provisioning documents and tokens."""

    def __init__(self, ground: Ground, documents: SpaceDocuments, passwords: Passwords, fetches: Fetches) -> None:
        self._fetches = fetches
        self._store = ground.store
        self._spaces = ground.spaces
        self._documents = documents
        self._passwords = passwords
        self._notices = ground.notices
        self._token_life = timedelta(hours=ground.settings.account.provisioning_token_hours)
        self._app_link_prefix = ground.settings.account.app_link_prefix
        self._clock = ground.clock

    def base(self, query: Mapping[str, str], headers: Headers, space: Space) -> bytes:
        """Return the document of a space without an account."""
        return self._documents.base(space, query, headers)

    def of(self, account: Account, query: Mapping[str, str], headers: Headers) -> bytes:
        """Return the document of a signed-in account."""
        return self._documents.of(account, query, headers)

    def content(self, account: Account) -> list[ProvisionedEntry]:
        """Return what a phone of the account is given, without secrets. Raises `ProvisioningFailed`."""
        sections = self._documents.sections(account)
        return [
            ProvisionedEntry(section.name, entry.name, None if _is_secret(section.name, entry.name) else entry.value)
            for section in sections
            for entry in section.entries
        ]

    def ends_at(self, account: Account) -> datetime | None:
        """Return when the account's provisioning token ends; `None` without one, and for one that does not end."""
        given, until = account.provisioning_token_at, account.provisioning_token_until
        if account.provisioning_token is None:
            return None
        ends = [] if until is None else [until]
        if self._token_life and given is not None:
            ends.append(given + self._token_life)
        return min(ends, default=None)

    async def by_token(
        self, token: str, query: Mapping[str, str], headers: Headers, actor: Actor
    ) -> tuple[bytes, bool]:
        """Return the document that a token gives, once, and True; for a token that is not valid the base and False.

        It activates the account, unless that has to prove its number or address first. With `reset_password` in the
        query the account gets a new random password.
        """
        space = actor.space or self._spaces.default
        account, reset = await self._store.accounts.by_provisioning_token(token, space.scope), "reset_password" in query
        refusal = None if account is None else self._refusal(account)
        if account is None or refusal is not None:
            await self._note_refused(account, token, refusal or "spent", actor)
            return self.base(query, headers, space), False
        password = self._random_password(account) if reset else None
        change = account.use_provisioning_token(
            self._clock.second(), password, address=actor.address, user_agent=actor.user_agent
        )
        assert change.after is not None
        # A document that cannot be made must cost neither the token nor the password.
        document = self.of(change.after, query, headers)
        try:
            is_used = await self._store.accounts.apply(change, actor) is not None
        except IdentifierTaken:
            # Another account proved the number or address that the token would prove.
            is_used = False
        await self._fetches.note(account, "given" if is_used else "replaced", actor, token if is_used else None)
        if not is_used:
            return self.base(query, headers, space), False
        if reset and account.activated:
            notice = PasswordChangedMail(account.address, self._clock.now())
            await self._notices.notify(account.email, notice, account, actor)
        return document, True

    def _random_password(self, account: Account) -> Password:
        password = random_text(RESET_PASSWORD_LENGTH)
        return self._passwords.stored(account.username, account.domain, Algorithm.SHA_256, password)

    async def _holder(self, token: str, space: Space) -> Account | None:
        account = await self._store.accounts.by_provisioning_token(token, space.scope)
        return None if account is None or self._refusal(account) is not None else account

    def _refusal(self, account: Account) -> FetchOutcome | None:
        """Return why the token of an account cannot be used, `None` if it can."""
        if account.is_blocked:
            return "blocked"
        if account.is_barred:
            return "deactivated"
        now, end, expiration = self._clock.now(), self.ends_at(account), account.activation_expiration
        is_late = not account.activated and expiration is not None and expiration.expires <= now
        return "expired" if is_late or (end is not None and end <= now) else None

    async def _note_refused(self, account: Account | None, token: str, outcome: FetchOutcome, actor: Actor) -> None:
        if account is None:
            await self._fetches.note_unknown(token, actor)
        else:
            await self._fetches.note(account, outcome, actor)

    async def new_token(self, account: Account, actor: Actor, *, by: TokenMaker | None = None) -> Account:
        """Give the account a new token in place of the one before; `by` is who made it, if not the account itself.

        Raises `RecordNotFound`, also when sign-ins were ended since the account was read.
        """
        change = account.with_provisioning_token(random_text(TOKEN_LENGTH), self._clock.second(), by)
        return existing(await self._store.accounts.apply(change, actor))

    async def qr_code(self, token: str, space: Space, *, reset_password: bool) -> tuple[bytes, str]:
        """Return a PNG image, and the URL in it, of a token of the space that can be used. Raises `RecordNotFound`."""
        offer = await self.offer(token, space, reset_password=reset_password)
        return offer.image, offer.url

    async def offer(self, token: str, space: Space, *, reset_password: bool) -> SetupOffer:
        """Return what a token of the space gives, and use nothing up. Raises `RecordNotFound`."""
        account = await self._holder(token, space)
        if account is None:
            raise RecordNotFound
        url = f"{space.url}/provisioning/{token}" + ("?reset_password=1" if reset_password else "")
        return await self._offer(account, url, resets=reset_password)

    async def offer_of_auth_token(self, token: str, account: Account, space: Space) -> SetupOffer:
        """Return what an auth token that is attached to the account gives."""
        return await self._offer(account, f"{space.url}/provisioning/auth_token/{token}")

    async def _offer(self, account: Account, url: str, *, resets: bool = False) -> SetupOffer:
        image = await asyncio.to_thread(qr.png, url)
        app_link = self._app_link_prefix + url if self._app_link_prefix else None
        return SetupOffer(account.address, url, image, app_link, resets_password=resets)


def _is_secret(section: str, name: str) -> bool:
    if _CREDENTIALS.fullmatch(section):
        return name not in _OPEN_OF_CREDENTIALS
    return _SECRET.search(name) is not None
