"""SIP sign-in for Flexisip's ExternalAuthentication, which asks for each challenged request."""

import asyncio
from datetime import timedelta

from flexiapi.flexisip import external_auth
from flexiapi.model import Space
from flexiapi.observing import log
from flexiapi.services.ground import Ground

_MOST_WAITING = 100
_MOST_REMEMBERED = 10_000
_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 2.0


class SipSignIn:
    """Answers to Flexisip's ExternalAuthentication plugin.

    A wrong one waits, the longer the more of them there were for its account, so that guesses are slow; a right one
    never waits. Flexisip does not tell which network asks, so that there can be no limit per network, and one per
    account would lock its owner out.
    """

    def __init__(self, ground: Ground) -> None:
        account, flexisip = ground.settings.account, ground.settings.flexisip
        self._store = ground.store
        self._md5 = account.md5
        self._clock = ground.clock
        self._waits: dict[str, float] = {}
        self._waiting = 0
        self.is_enabled = flexisip.external_auth
        self.networks = flexisip.external_auth_networks

    async def answer(self, query: str, space: Space) -> str:
        """Return the answer to the query part of the plugin's URI, about an account of the space."""
        asked = external_auth.question(query)
        if asked is None:
            log.warning("SIP sign-in failed", reason="malformed question")
            return external_auth.forbidden("").text()
        verdict = await self._verdict(asked, space)
        if verdict.reason:
            log.warning("SIP sign-in failed", reason=verdict.reason, account=asked.address)
            await self._wait(asked.address)
        elif verdict.identity is not None and self._waits:
            self._waits.pop(asked.address, None)
        return verdict.text()

    async def _verdict(self, asked: external_auth.Question, space: Space) -> external_auth.Verdict:
        """Record the use of the nonce while the account is read, and delete the record if the response is wrong."""
        records, use = self._store.sip_sign_ins, external_auth.use(asked)
        until = self._clock.now() + timedelta(seconds=external_auth.REMEMBERED_SECONDS)
        is_first, account = await asyncio.gather(
            records.first(use, until), records.account(*asked.account, space.scope)
        )
        verdict = external_auth.verdict(asked, account, space.realm, md5=self._md5, is_first=is_first)
        if is_first and verdict.reason:
            await records.forget(use)
        return verdict

    async def _wait(self, address: str) -> None:
        """Let a wrong answer wait, twice as long as the one before for this account, unless many are waiting."""
        seconds = self._waits.get(address, _FIRST_SECONDS)
        if len(self._waits) > _MOST_REMEMBERED:
            self._waits.clear()
        self._waits[address] = min(2 * seconds, _LONGEST_SECONDS)
        if self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting -= 1
