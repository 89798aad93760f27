"""The application, for endpoints and the pipeline."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO, cast

from flexiapi.api.reference import Documentation
from flexiapi.errors import Unavailable
from flexiapi.flexisip.replication import Replication
from flexiapi.limit_key import counted_as
from flexiapi.model import KEY_PREFIX, Actor, ActorKind, Space
from flexiapi.observing import REQUESTS, SECONDS, AccessLog
from flexiapi.panel.languages import chosen
from flexiapi.rendering.renderer import Renderer
from flexiapi.server.first_admin import first_admin_command
from flexiapi.server.health import Health
from flexiapi.server.routes import ENDPOINTS
from flexiapi.services import Services
from flexiapi.services.names import NameRules
from flexiapi.services.sign_in import DigestAnswer, KeyIdentity, SessionIdentity, SignedIn
from flexiapi.web.closed import Maintenance, NotReady
from flexiapi.web.exchange import Exchange, HostSpace
from flexiapi.web.identity import ApiKey, Claim, SessionCookie
from flexiapi.web.peers import Network, Peers
from flexiapi.web.request import HttpRequest
from flexiapi.web.throttle import Throttle

_LONGEST_AGENT = 256
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class ServiceContext:
    """Services and renderer for the endpoints; sign-in, limits, access log and metrics for the pipeline."""

    def __init__(
        self,
        services: Services,
        renderer: Renderer,
        replication: Replication,
        throttle: Throttle,
        health: Health,
        log_stream: TextIO,
    ) -> None:
        settings = services.settings
        self.peers = Peers(settings.server.trusted_proxies)
        self.throttle = throttle
        self.exempt_networks: Sequence[Network] = settings.limits.exempt_networks
        self.maintenance = settings.server.maintenance
        self.max_body_bytes = settings.server.max_body_bytes
        self.public_url = settings.app.url
        self.cors_origins: Sequence[str] = settings.server.cors_origins
        self._spaces = services.spaces
        self._rules = {space.domain: NameRules(space) for space in services.spaces}
        self._replication = replication
        self.health = health
        self.services = services
        self.renderer = renderer
        self.assets = renderer.assets
        self.documentation = Documentation(ENDPOINTS, renderer, settings)
        self._access = AccessLog(log_stream, settings.log.format) if settings.log.access else None
        self._figures: dict[tuple[str, str, int], Any] = {}
        self._in_flight = self._transfers = 0
        self._most_requests = settings.server.most_requests or math.inf
        self._idle = asyncio.Event()
        self._idle.set()

    def entered(self, *, is_transfer: bool) -> None:
        """Note that a request is under way."""
        self._in_flight += 1
        self._transfers += is_transfer
        self._idle.clear()

    def left(self, *, is_transfer: bool) -> None:
        """Note that a request is answered."""
        self._in_flight -= 1
        self._transfers -= is_transfer
        if not self._in_flight:
            self._idle.set()

    async def drain(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()

    def is_overloaded(self, *, is_transfer: bool) -> bool:
        """Return whether more transfers, or other requests, are under way than can be answered in time.

        A transfer takes as long as its client likes, so slow clients would keep all other requests out.
        """
        under_way = self._transfers if is_transfer else self._in_flight - self._transfers
        return under_way > self._most_requests

    def refusal(self) -> Unavailable | None:
        """Return the failure that every request gets while none is to be answered, else `None`."""
        if self.maintenance:
            return Maintenance()
        readiness = self.health.readiness
        # As `may_work` does: every request asks.
        if readiness.is_closed or time.clock_gettime(time.CLOCK_BOOTTIME) > readiness.confirmed_until:
            return NotReady()
        return None

    async def unready(self) -> Mapping[str, str]:
        """Return the reasons why requests should not be sent here, by subject."""
        reasons = {**await self.health.unready()}
        if self.maintenance:
            reasons["maintenance"] = "server.maintenance is on."
        return reasons

    def space_of(self, request: HttpRequest) -> Space:
        """Return the space of the requests to this host."""
        spaces = self._spaces
        if not spaces.by_domain:
            return spaces.default
        return spaces.of_host(self.peers.host(request))

    def validation_context(self, space: HostSpace) -> NameRules:
        """Return the rules of names of the space."""
        return self._rules[cast("Space", space).domain]

    def first_admin_command(self, space: Space) -> str:
        """Return the command that makes an administrator of the space, as the server itself was called."""
        return first_admin_command(space.stored)

    async def sign_in(self, claim: Claim, address: str, space: HostSpace) -> SignedIn | SessionIdentity | KeyIdentity:
        """Return the account or named key of the space that the claim proves. Raises `ApiError`."""
        sign_in = self.services.sign_in.http
        if isinstance(claim, ApiKey):
            if claim.key.startswith(KEY_PREFIX):
                keys, from_cookie = self.services.sign_in.named_keys, claim.from_cookie
                return await keys.by_key(claim.key, address, cast("Space", space), from_cookie=from_cookie)
            return await sign_in.by_key(claim.key, address, cast("Space", space))
        if isinstance(claim, SessionCookie):
            return await self.services.sign_in.sessions.resume(claim.token, address, cast("Space", space))
        answer = None
        if claim.authorization is not None:
            answer = DigestAnswer(claim.authorization, claim.method, claim.target)
        return await sign_in.by_digest(claim.username, claim.domain, answer, address, cast("Space", space))

    async def limit(self, name: str, address: str) -> None:
        """Count against a limit per IP address. Raises `TooManyRequests`."""
        await self.services.limiter.count(name, counted_as(address))

    def refuse_guesser(self, address: str) -> None:
        """Raise `TooManyRequests` for an address with too many wrong guesses."""
        self.services.limiter.refuse_guesser("wrong_codes", address)

    async def count_wrong_guess(self, address: str) -> None:
        """Count a wrong guess at a secret."""
        await self.services.limiter.count_failure("wrong_codes", address)

    def originator(self, exchange: Exchange) -> Actor:
        """Return the actor that a request is."""
        agent = exchange.request.headers.get("User-Agent", "")
        printable = "".join(character for character in agent if character.isprintable())[:_LONGEST_AGENT]
        space = cast("Space | None", exchange.host_space) or self._spaces.default
        agent = printable or space.name
        signed_in, languages = exchange.identity, _languages(exchange.request)
        if not isinstance(signed_in, SignedIn | SessionIdentity):
            key_id = signed_in.key.id if isinstance(signed_in, KeyIdentity) else None
            return Actor(
                ActorKind.ANONYMOUS if key_id is None else ActorKind.KEY,
                address=exchange.client,
                user_agent=agent,
                space=space,
                accept_language=languages,
                key_id=key_id,
            )
        sign_in = "session"
        if isinstance(signed_in, SignedIn):
            sign_in = "digest" if signed_in.key_hash is None else "key"
        return Actor(ActorKind.ACCOUNT, signed_in.account.id, sign_in, exchange.client, agent, space, languages)

    async def check_settling(self) -> None:
        """Raise `ReplicaNotWritable` while the sign-in replica cannot follow changes."""
        if self._replication.replica is not None:
            await self._replication.replica.check()

    async def settle(self, originator: object) -> None:
        """Wait until the accounts that the actor changed are in the sign-in replica."""
        if isinstance(originator, Actor) and originator.has_changed:
            await self._replication.settle(originator)

    def observe(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Log and count an answered request."""
        method, path = exchange.request.method, exchange.path
        # Clients choose the method, but must not decide how many time series there are.
        method = method if method in _METHODS else "OTHER"
        figures = self._figures.get((method, path, status))
        if figures is None:
            figures = (REQUESTS.labels(method, path, str(status)), SECONDS.labels(path))
            self._figures[method, path, status] = figures
        figures[0].inc()
        figures[1].observe(seconds)
        if self._access is not None and not exchange.is_health_check:
            self._access.write(
                method,
                path,
                status,
                seconds,
                ip=exchange.client,
                account=exchange.identity.label if exchange.identity is not None else "",
                target=exchange.path_values.get("id", ""),
                id=exchange.request_id,
            )

    def flush(self) -> None:
        """Write the gathered lines of the access log."""
        if self._access is not None:
            self._access.flush()


def _languages(request: HttpRequest) -> str:
    """Return the languages that a caller prefers, as `Accept-Language` has them: first the one chosen on pages."""
    accepted, cookies = request.headers.get("Accept-Language", ""), request.headers.get("Cookie")
    return ",".join(filter(None, [*chosen(cookies), accepted])) if cookies else accepted
