"""HTTP sign-in: API keys and DIGEST (RFC 7616)."""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NoReturn
from urllib.parse import urlsplit

from flexiapi.crypto import digest
from flexiapi.crypto.keys import token_hash
from flexiapi.crypto.nonces import Nonces
from flexiapi.errors import AccountBlocked, RecordNotFound, SignInRequired
from flexiapi.model import Account, Actor, Space, StoredApiKey
from flexiapi.observing import log
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.failed_sign_ins import FailedSignIns
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.store.used_nonces import NonceUse

OPAQUE = "ZmxleGlhcGk"
_COUNT = re.compile(r"[0-9A-Fa-f]{1,8}")
_REQUIRED = ("username", "realm", "nonce", "uri", "response", "opaque", "qop", "nc", "cnonce")
# Clients are told the same of a nonce that has ended as of one that was never issued.
_REFUSED_USES = {
    NonceUse.REPLAYED: ("replayed count", "Nonce replayed"),
    NonceUse.ENDED: ("ended nonce", "Nonce invalid"),
}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A signed-in account; `key_hash` is the SHA-256 of the API key that it signed in with, `None` after DIGEST."""

    account: Account
    key_hash: bytes | None = None
    headers: Sequence[tuple[str, str]] = ()
    is_limited: ClassVar[bool] = False
    scopes: ClassVar[None] = None

    @property
    def label(self) -> str:
        """The account's id, for the log."""
        return str(self.account.id)

    @property
    def is_active_admin(self) -> bool:
        """True if Admin operations are allowed."""
        return self.account.is_admin and self.account.activated


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """The parameters of an `Authorization` header, and the method and target of its request."""

    parameters: Mapping[str, str] = field(repr=False)
    method: str
    target: str


class HttpSignIn:
    """Sign-in of requests. Failures are `SignInRequired`, with new challenges if a password could help."""

    def __init__(self, ground: Ground, passwords: Passwords, failures: FailedSignIns) -> None:
        self._store = ground.store
        self._nonces = Nonces(ground.key.derive("nonces"))
        self._passwords = passwords
        self._failures = failures
        self._clock = ground.clock
        app = ground.settings.app
        self._key_life = timedelta(minutes=app.api_key_expiration_minutes)
        self._longest_key_life = timedelta(days=app.api_key_max_days) or None
        self._nonce_life = timedelta(minutes=ground.settings.account.nonce_minutes)

    async def by_key(self, key: str, address: str, space: Space) -> SignedIn:
        """Sign in with an API key of the space, whose life starts anew. A right one passes whatever failed before.

        Raises `SignInRequired`, `AccountBlocked`, and `TooManyRequests` for an unknown key over the limit.
        """
        key_hash = token_hash(key)
        account = await self._store.accounts.by_api_key(key_hash, space.scope)
        now = self._clock.now()
        if account is None or account.api_key is None:
            log.warning("sign-in failed", reason="unknown key", ip=address)
            await self._failures.count_key(address)
            raise SignInRequired("The API key is unknown or expired.")
        stored = account.api_key.last_used_at
        last_used = max(stored, self._store.key_uses.last(key_hash) or stored)
        if last_used + self._key_life < now or self._is_too_old(account.api_key, now):
            await self._store.accounts.apply(account.without_api_key(), Actor.system())
            log.warning("sign-in failed", reason="expired key", ip=address, account=account.id)
            raise SignInRequired("The API key is unknown or expired.")
        _refuse_shut_out(account, address)
        self._store.key_uses.note(key_hash, now)
        return SignedIn(account, key_hash)

    def _is_too_old(self, key: StoredApiKey, now: datetime) -> bool:
        return self._longest_key_life is not None and key.created_at + self._longest_key_life < now

    async def by_digest(
        self, username: str, domain: str, answer: DigestAnswer | None, address: str, space: Space
    ) -> SignedIn:
        """Sign in the account `username@domain` of the space with the answer to a challenge.

        Raises `RecordNotFound` for an unknown address, `SignInRequired` without an answer, for a wrong one and for a
        domain of another space, `AccountBlocked` after a right one, and `TooManyRequests`.
        """
        if domain in space.scope.but or (space.scope.only is not None and domain != space.scope.only):
            raise SignInRequired("This domain signs in at another host.")
        if answer is None:
            await self._challenge(username, domain, space)
        account = await self._store.accounts.by_address(username, domain, space.scope)
        if account is None:
            self._nonces.make(0, 0, self._clock.now().timestamp())
            raise RecordNotFound
        return await self._verified(account, answer, address)

    async def _challenge(self, username: str, domain: str, space: Space) -> NoReturn:
        challenged = await self._store.accounts.challenged(username, domain, space.scope)
        now = self._clock.now().timestamp()
        if challenged is None:
            self._nonces.make(0, 0, now)
            raise RecordNotFound
        nonce = self._nonces.make(challenged.id, challenged.sign_in_epoch, now)
        offered = self._passwords.offered(challenged.algorithms)
        raise SignInRequired(None, self._challenges(challenged.domain, offered, nonce))

    async def _verified(self, account: Account, answer: DigestAnswer, address: str) -> SignedIn:
        given = answer.parameters
        if not self._is_well_formed(account, answer):
            raise self._refusal(account)
        nonce = given["nonce"]
        issued = self._nonces.issued_at(nonce, account.id, account.sign_in_epoch)
        expires_at = datetime.fromtimestamp(issued or 0, UTC) + self._nonce_life
        if issued is None or expires_at <= self._clock.now():
            raise self._refusal(account, "Nonce invalid", stale=True)
        is_right = await self._failures.compared(
            address, account.id, lambda: self._is_right(account, answer, address), account.unlocked_at
        )
        if not is_right:
            raise self._refusal(account)
        use = await self._store.used_nonces.use(nonce, int(given["nc"], 16), expires_at)
        if use is not NonceUse.COUNTED:
            reason, text = _REFUSED_USES[use]
            log.warning("sign-in failed", reason=reason, ip=address, account=account.id)
            raise self._refusal(account, text, stale=True)
        _refuse_shut_out(account, address)
        return SignedIn(account, headers=self._headers(account, nonce))

    def _is_well_formed(self, account: Account, answer: DigestAnswer) -> bool:
        given = answer.parameters
        return (
            all(given.get(name) for name in _REQUIRED)
            and given["qop"] == "auth"
            and given["opaque"] == OPAQUE
            and given["realm"] == self._passwords.realm(account.domain)
            and given["username"] == account.username
            and _COUNT.fullmatch(given["nc"]) is not None
            and _is_for(given["uri"], answer.target)
        )

    def _is_right(self, account: Account, answer: DigestAnswer, address: str) -> bool:
        if self._fits(account, answer):
            return True
        log.warning("sign-in failed", reason="wrong password", ip=address, account=account.id)
        return False

    def _fits(self, account: Account, answer: DigestAnswer) -> bool:
        given = answer.parameters
        algorithm = given.get("algorithm", "MD5").upper()
        if algorithm not in self._passwords.algorithms(account):
            return False
        ha1 = self._passwords.ha1(account, algorithm)
        if ha1 is None:
            return False
        right = digest.response(
            algorithm, ha1.lower(), given["nonce"], given["nc"], given["cnonce"], "auth", answer.method, given["uri"]
        )
        return hmac.compare_digest(right.encode(), given["response"].lower().encode())

    def _refusal(self, account: Account, text: str | None = None, *, stale: bool = False) -> SignInRequired:
        nonce = self._nonces.make(account.id, account.sign_in_epoch, self._clock.now().timestamp())
        algorithms = self._passwords.algorithms(account)
        return SignInRequired(text, self._challenges(account.domain, algorithms, nonce, stale=stale))

    def _challenges(self, domain: str, algorithms: Sequence[str], nonce: str, *, stale: bool = False) -> list[str]:
        realm = self._passwords.realm(domain)
        return [digest.challenge(realm, algorithm, nonce, OPAQUE, stale=stale) for algorithm in algorithms]

    def _headers(self, account: Account, nonce: str) -> list[tuple[str, str]]:
        challenges = self._challenges(account.domain, self._passwords.algorithms(account), nonce)
        return [("WWW-Authenticate", challenge) for challenge in challenges]


def _refuse_shut_out(account: Account, address: str) -> None:
    """Refuse a deactivated account, which could activate itself again, and a blocked one.

    An account that was never active may sign in.
    """
    if account.is_shut_out:
        log.warning("sign-in failed", reason="deactivated", ip=address, account=account.id)
        raise SignInRequired("This account was deactivated.")
    if account.is_blocked:
        log.warning("sign-in failed", reason="blocked", ip=address, account=account.id)
        raise AccountBlocked


def _is_for(uri: str, target: str) -> bool:
    """Return whether a signed URI is for the target; a front server may have removed a prefix of the path."""
    path, _, query = uri.partition("?")
    target_path, _, target_query = target.partition("?")
    if path.startswith(("http://", "https://")):
        path = urlsplit(path).path
    return query == target_query and path.endswith(target_path)
