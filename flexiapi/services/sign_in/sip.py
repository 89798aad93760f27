"""SIP sign-in for Flexisip's ExternalAuthentication, which asks for each challenged request."""

import asyncio
from datetime import timedelta

from flexiapi.flexisip import external_auth
from flexiapi.model import Space
from flexiapi.services.ground import Ground


class SipSignIn:
    """Answers to Flexisip's ExternalAuthentication plugin."""

    def __init__(self, ground: Ground) -> None:
        account, flexisip = ground.settings.account, ground.settings.flexisip
        self._store = ground.store
        self._md5 = account.md5
        self._clock = ground.clock
        self.is_enabled = flexisip.external_auth
        self.networks = flexisip.external_auth_networks

    async def answer(self, query: str, space: Space) -> str:
        """Return the answer to the query part of the plugin's URI, about an account of the space."""
        asked = external_auth.question(query)
        verdict = external_auth.FORBIDDEN if asked is None else await self._verdict(asked, space)
        return verdict.text()

    async def _verdict(self, asked: external_auth.Question, space: Space) -> external_auth.Verdict:
        """Record the use of the nonce while the account is read, and delete the record if the response is wrong."""
        records, use = self._store.sip_sign_ins, external_auth.use(asked)
        until = self._clock.now() + timedelta(seconds=external_auth.REMEMBERED_SECONDS)
        is_first, account = await asyncio.gather(
            records.first(use, until), records.account(*asked.account, space.scope)
        )
        verdict = external_auth.verdict(asked, account, space.realm, md5=self._md5, is_first=is_first)
        if is_first and verdict is external_auth.FORBIDDEN:
            await records.forget(use)
        return verdict
