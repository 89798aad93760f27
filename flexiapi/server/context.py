"""What the HTTP layer asks of everything else."""

import asyncio
from collections.abc import Sequence
from typing import Any, TextIO

from flexiapi.flexisip.replication import Replication
from flexiapi.limit_key import counted_as
from flexiapi.model import Actor, ActorKind
from flexiapi.observing import REQUESTS, SECONDS, AccessLog
from flexiapi.services import Services
from flexiapi.services.sign_in.http import DigestAnswer, SignedIn
from flexiapi.settings import Settings
from flexiapi.web.handler import ApiHandler
from flexiapi.web.identity import ApiKey, Claim
from flexiapi.web.peers import Peers
from flexiapi.web.throttle import Throttle

_LONGEST_AGENT = 256
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"})


class ServiceContext:
    """What the HTTP layer asks: who somebody is, what is too often, and where requests are noted."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        replication: Replication,
        throttle: Throttle,
        log_stream: TextIO,
    ) -> None:
        self.peers = Peers(settings.server.trusted_proxies)
        self.throttle = throttle
        self.maintenance = settings.server.maintenance
        self.max_body_bytes = settings.server.max_body_bytes
        self.public_url = settings.app.url
        self.cors_origins: Sequence[str] = settings.server.cors_origins
        self.validation_context: object = services.name_rules
        self._replication = replication
        self._app_name = settings.app.name
        self._services = services
        self._access = AccessLog(log_stream, settings.log.format) if settings.log.access else None
        self._figures: dict[tuple[str, str, int], Any] = {}
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def entered(self) -> None:
        """A request is under way."""
        self._in_flight += 1
        self._idle.clear()

    def left(self) -> None:
        """A request is answered."""
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    async def drain(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()

    async def sign_in(self, claim: Claim, address: str) -> SignedIn:
        """Who the claim proves to be."""
        sign_in = self._services.sign_in
        if isinstance(claim, ApiKey):
            return await sign_in.by_key(claim.key, address)
        answer = None
        if claim.authorization is not None:
            answer = DigestAnswer(claim.authorization, claim.method, claim.target)
        return await sign_in.by_digest(claim.username, claim.domain, answer, address)

    async def limit(self, name: str, address: str) -> None:
        """Count against a limit per IP address."""
        await self._services.limiter.count(name, counted_as(address))

    def refuse_guesser(self, address: str) -> None:
        """Refuse an address that has guessed wrong too often."""
        self._services.limiter.refuse_guesser("wrong_codes", counted_as(address))

    async def count_wrong_guess(self, address: str) -> None:
        """Count a wrong guess."""
        await self._services.limiter.count_failure("wrong_codes", counted_as(address))

    def originator(self, handler: ApiHandler) -> Actor:
        """Return the actor that a request is."""
        agent = handler.request.headers.get("User-Agent", "")
        printable = "".join(character for character in agent if character.isprintable())[:_LONGEST_AGENT]
        agent = printable or self._app_name
        signed_in = handler.identity
        if not isinstance(signed_in, SignedIn):
            return Actor(ActorKind.ANONYMOUS, address=handler.client, user_agent=agent)
        sign_in = "digest" if signed_in.key_hash is None else "key"
        return Actor(ActorKind.ACCOUNT, signed_in.account.id, sign_in, handler.client, agent)

    async def settle(self, originator: object) -> None:
        """Wait until the accounts that the actor changed are in the sign-in replica."""
        if isinstance(originator, Actor):
            await self._replication.settle(originator)

    def observe(self, handler: ApiHandler, seconds: float) -> None:
        """Log and count a finished request."""
        method = handler.request.method or ""
        # Whoever calls decides on the method, and must not decide on how much is kept.
        method = method if method in _METHODS else "OTHER"
        status = handler.get_status()
        figures = self._figures.get((method, handler.path, status))
        if figures is None:
            figures = (REQUESTS.labels(method, handler.path, str(status)), SECONDS.labels(handler.path))
            self._figures[method, handler.path, status] = figures
        figures[0].inc()
        figures[1].observe(seconds)
        if self._access is not None:
            who = handler.identity.label if handler.identity is not None else ""
            # A method that HTTP does not know is refused before Tornado sets the path's parameters.
            target = getattr(handler, "path_kwargs", {}).get("id", "")
            self._access.write(
                method,
                handler.path,
                status,
                seconds,
                ip=handler.client,
                account=who,
                target=target,
                id=handler.request_id,
            )

    def flush(self) -> None:
        """Write what was gathered for the log."""
        if self._access is not None:
            self._access.flush()
