"""Sign-in by SIP, as Flexisip asks about it on each request that it has challenged."""

from datetime import timedelta

from flexiapi.flexisip import external_auth
from flexiapi.services.clock import Clock
from flexiapi.settings import Flexisip
from flexiapi.store import Store


class SipSignIn:
    """Answers Flexisip's ExternalAuthentication plugin; `realm` `None` is each account's domain."""

    def __init__(self, store: Store, settings: Flexisip, realm: str | None, clock: Clock) -> None:
        self._store = store
        self._realm = realm
        self._clock = clock
        self.is_enabled = settings.external_auth
        self.networks = settings.external_auth_networks

    async def answer(self, query: str) -> str:
        """The plugin's answer to the query part of its URI."""
        asked = external_auth.question(query)
        account = None
        if asked is not None:
            account = await self._store.accounts.by_address(*asked.account)
        verdict = await external_auth.verdict(asked, account, self._realm, self._remember)
        return verdict.text()

    async def _remember(self, use: str) -> bool:
        until = self._clock.now() + timedelta(seconds=external_auth.REMEMBERED_SECONDS)
        return await self._store.sip_uses.first(use, until)
