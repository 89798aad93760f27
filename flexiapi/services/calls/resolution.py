"""Accounts as a SIP server asks for them before it routes a call."""

from collections.abc import Sequence
from dataclasses import dataclass

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, CallForwarding, ForwardingTarget, Scope
from flexiapi.services.accounts import AccountDirectory, ForwardedContacts
from flexiapi.services.ground import Ground
from flexiapi.sip_address import uri_of


@dataclass(frozen=True, slots=True)
class ActingForwarding:
    """A rule that a call may follow now. `contact_uri` is the SIP URI of the contact that it names."""

    rule: CallForwarding
    type: str
    contact_uri: str | None = None


@dataclass(frozen=True, slots=True)
class ResolvedAccount:
    """An account with the rules that calls to it may follow now."""

    account: Account
    forwardings: Sequence[ActingForwarding]


class Resolution:
    """Accounts by the address that a call is for, with their call forwarding.

    Only rules that can be followed are told: Flexisip ignores all of an account when one of them has no target. It also
    remembers for ten minutes that there is no account, so those that are not activated are found too, without rules.
    """

    def __init__(self, ground: Ground, directory: AccountDirectory, contacts: ForwardedContacts) -> None:
        self._store = ground.store
        self._directory = directory
        self._contacts = contacts
        self._names = {"no_answer": ground.settings.flexisip.no_answer_name}

    async def of(self, username: str, domain: str, reach: Scope) -> ResolvedAccount:
        """Return the account of an address, exactly as it is written or in lower case. Raises `RecordNotFound`."""
        for name in dict.fromkeys((username, username.lower())):
            account = await self._named(name, domain, reach)
            if account is not None:
                return ResolvedAccount(account, await self._acting(account))
        raise RecordNotFound

    async def _named(self, username: str, domain: str, reach: Scope) -> Account | None:
        account = await self._store.accounts.by_address(username, domain, reach)
        if account is None and username.startswith("+"):
            account = await self._store.accounts.by_claim(username, domain, reach)
        return account if account is not None and account.username == username else None

    async def _acting(self, account: Account) -> Sequence[ActingForwarding]:
        rules = account.acting_forwardings
        uris = await self._contact_uris(account, {rule.contact_id for rule in rules} - {None}) if rules else {}
        acting = [
            ActingForwarding(rule, self._names.get(rule.type, rule.type), uris.get(rule.contact_id or 0))
            for rule in rules
        ]
        return [one for one in acting if _has_target(one)]

    async def _contact_uris(self, account: Account, contact_ids: set[int | None]) -> dict[int, str]:
        if not contact_ids:
            return {}
        linked = await self._contacts.linked(account, [one for one in contact_ids if one is not None])
        scope = self._directory.space_of(account).scope
        found = await self._store.contacts.by_ids(sorted(linked), scope)
        return {one.id: uri_of(one.username, one.domain) for one in found}


def _has_target(acting: ActingForwarding) -> bool:
    targets = {ForwardingTarget.SIP_URI: acting.rule.sip_uri, ForwardingTarget.CONTACT: acting.contact_uri}
    return bool(targets.get(acting.rule.forward_to, "voicemail"))
