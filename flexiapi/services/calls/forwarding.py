"""Call forwarding: the rules of an account, as people and administrators save them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flexiapi.errors import FieldErrors, RecordNotFound, ValidationFailed
from flexiapi.model import Account, Actor, AsContact, CallForwarding, ForwardingKind, ForwardingTarget
from flexiapi.services.accounts import AccountBusy, AccountDirectory
from flexiapi.services.calls.chains import ChainFault, ForwardingChains
from flexiapi.services.contacts import ContactLinks
from flexiapi.services.ground import Ground

_TRIES = 20
_FAULTS = {
    ChainFault.LOOP: "{field} leads back to this account: calls would be forwarded in a circle",
    ChainFault.LENGTH: "{field} makes a chain of more than 10 forwardings",
}
VOICEMAIL_WARNING = (
    "The SIP server of this service cannot forward all calls to voicemail yet: with this rule, callers hear an error."
)


@dataclass(frozen=True, slots=True)
class ForwardingValues:
    """The values of a rule, as they are saved; `type` is `None` for that of the rule that they replace."""

    type: ForwardingKind | None
    forward_to: ForwardingTarget
    enabled: bool
    sip_uri: str | None = None
    contact_id: int | None = None

    @property
    def field(self) -> str:
        """The field that says where calls go."""
        return {ForwardingTarget.SIP_URI: "sip_uri", ForwardingTarget.CONTACT: "contact_id"}.get(
            self.forward_to, "forward_to"
        )


@dataclass(frozen=True, slots=True)
class ShownForwarding:
    """A rule with the contact that it names, if that exists, and a warning."""

    rule: CallForwarding
    contact: AsContact | None = None
    warning: str | None = None


class CallForwardings:
    """The rules of accounts. One of each type, none that another excludes, and no circles."""

    def __init__(self, ground: Ground, directory: AccountDirectory, links: ContactLinks) -> None:
        self._store = ground.store
        self._clock = ground.clock
        self._directory = directory
        self._links = links
        self._chains = ForwardingChains(ground.store)
        self._takes_voicemail = ground.settings.flexisip.forwards_to_voicemail

    async def of(self, account: Account) -> Sequence[ShownForwarding]:
        """Return the rules of an account, by id, with their contacts."""
        ids = sorted({rule.contact_id for rule in account.call_forwardings if rule.contact_id is not None})
        scope = self._directory.space_of(account).scope
        found = {one.id: one for one in await self._store.contacts.by_ids(ids, scope)}
        rules = sorted(account.call_forwardings, key=lambda rule: rule.id)
        return [self._shown(rule, found.get(rule.contact_id or 0)) for rule in rules]

    def _shown(self, rule: CallForwarding, contact: AsContact | None) -> ShownForwarding:
        is_ended = rule.type is ForwardingKind.ALWAYS and rule.forward_to is ForwardingTarget.VOICEMAIL
        warns = is_ended and rule.enabled and not self._takes_voicemail
        return ShownForwarding(rule, contact, VOICEMAIL_WARNING if warns else None)

    async def one_of(self, account: Account, rule_id: int) -> ShownForwarding:
        """Return a rule of an account. Raises `RecordNotFound`."""
        for shown in await self.of(account):
            if shown.rule.id == rule_id:
                return shown
        raise RecordNotFound

    async def choices(self, account: Account) -> Sequence[AsContact]:
        """Return the contacts that a rule of the account may name."""
        return [one for one in await self._links.of_user(account) if one.id != account.id]

    async def add(self, account: Account, values: ForwardingValues, actor: Actor) -> ShownForwarding:
        """Add a rule. Raises `ValidationFailed`, `RecordNotFound`, `AccountBusy`."""
        now = self._clock.second()
        assert values.type is not None
        contact = values.contact_id if values.forward_to is ForwardingTarget.CONTACT else None
        uri = values.sip_uri if values.forward_to is ForwardingTarget.SIP_URI else None
        rule_id = await self._store.counters.next("call_forwardings")
        rule = CallForwarding(rule_id, values.type, values.forward_to, values.enabled, now, now, uri, contact)
        return await self._saved(account, rule, values.field, actor, is_new=True)

    async def replace(self, account: Account, rule_id: int, values: ForwardingValues, actor: Actor) -> ShownForwarding:
        """Replace all of a rule but its type. Raises `ValidationFailed`, `RecordNotFound`, `AccountBusy`."""
        known = _found(account, rule_id)
        if values.type not in (None, known.type):
            raise ValidationFailed({"type": ["type cannot be changed: add another rule"]})
        rule = replace(
            known,
            forward_to=values.forward_to,
            enabled=values.enabled,
            updated_at=self._clock.second(),
            sip_uri=values.sip_uri if values.forward_to is ForwardingTarget.SIP_URI else None,
            contact_id=values.contact_id if values.forward_to is ForwardingTarget.CONTACT else None,
        )
        return await self._saved(account, rule, values.field, actor, is_new=False)

    async def remove(self, account: Account, rule_id: int, actor: Actor) -> None:
        """Remove a rule. Raises `RecordNotFound`, `AccountBusy`."""
        for _ in range(_TRIES):
            _found(account, rule_id)
            if await self._store.accounts.apply(account.remove_call_forwarding(rule_id), actor) is not None:
                return
            account = await self._directory.again(account)
        raise AccountBusy

    async def _saved(
        self, account: Account, rule: CallForwarding, field: str, actor: Actor, *, is_new: bool
    ) -> ShownForwarding:
        """Write a rule, look whether it is right beside what others wrote meanwhile, and take it back if not.

        Of two rules that make a circle and are saved at the same time, at least one is looked at after both are
        written, so no circle is left.
        """
        before, changed = account, None
        for _ in range(_TRIES):
            if not is_new:
                _found(before, rule.id)
            await self._refuse(before, rule, field)
            change = before.add_call_forwarding(rule) if is_new else before.replace_call_forwarding(rule)
            changed = await self._store.accounts.apply(change, actor)
            if changed is not None:
                break
            before = await self._directory.again(account)
        if changed is None:
            raise AccountBusy
        if rule.enabled and (faults := await self._target_faults(changed, rule, field)):
            await self._take_back(changed, rule, before, actor)
            raise ValidationFailed(faults)
        return await self.one_of(changed, rule.id)

    async def _refuse(self, account: Account, rule: CallForwarding, field: str) -> None:
        """Raise `ValidationFailed` for a rule that the account cannot have."""
        others = [known for known in account.call_forwardings if known.id != rule.id]
        errors: FieldErrors = {}
        if any(known.type is rule.type for known in others):
            errors["type"] = ["type has a rule already: change or delete that one"]
        errors |= await self._target_faults(account, rule, field)
        if rule.enabled and any(known.enabled and known.type in rule.type.excluded for known in others):
            errors["enabled"] = ["enabled cannot be set for all calls and for some calls at the same time"]
        if errors:
            raise ValidationFailed(errors)

    async def _target_faults(self, account: Account, rule: CallForwarding, field: str) -> FieldErrors:
        if field != "forward_to" and rule.sip_uri is None and rule.contact_id is None:
            return {field: [f"{field} is required to forward calls there"]}
        if rule.contact_id is not None:
            contacts = {one.id for one in await self._links.of_user(account)}
            if rule.contact_id not in contacts:
                return {field: [f"{field} must be a contact of the account"]}
        fault = await self._chains.fault(account, rule) if rule.enabled else None
        return {} if fault is None else {field: [_FAULTS[fault].format(field=field)]}

    async def _take_back(self, account: Account, rule: CallForwarding, before: Account, actor: Actor) -> None:
        """Put back what was there before a rule, switched off if that is no longer right either."""
        former = next((known for known in before.call_forwardings if known.id == rule.id), None)
        if former is not None and former.enabled and await self._target_faults(account, former, "contact_id"):
            former = replace(former, enabled=False)
        current: Account | None = account
        for _ in range(_TRIES):
            if current is None or rule not in current.call_forwardings:
                return
            change = current.remove_call_forwarding(rule.id)
            if former is not None:
                change = current.replace_call_forwarding(former)
            if await self._store.accounts.apply(change, actor) is not None:
                return
            current = await self._store.accounts.by_id(account.id, self._directory.space_of(account).scope)
        raise AccountBusy


def _found(account: Account, rule_id: int) -> CallForwarding:
    for rule in account.call_forwardings:
        if rule.id == rule_id:
            return rule
    raise RecordNotFound
