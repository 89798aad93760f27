"""Verbs of an account about its rules of call forwarding."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from flexiapi.model.call_forwarding import CallForwarding
from flexiapi.model.change import Change
from flexiapi.model.record import AccountRecord


class AccountForwardings(AccountRecord):
    """Rules of call forwarding. Every change expects that all of them are as they were read: they exclude each other.

    So there is at most one of a kind, and none that another excludes, whatever is saved at the same time.
    """

    __slots__ = ()

    @property
    def acting_forwardings(self) -> tuple[CallForwarding, ...]:
        """The enabled rules of an account that takes part in calls; none while it is deactivated or blocked."""
        if not self.activated or self.is_blocked:
            return ()
        return tuple(rule for rule in self.call_forwardings if rule.enabled)

    def add_call_forwarding(self, rule: CallForwarding) -> Change[Self]:
        """Add a rule."""
        return self._forwarding("account.call_forwarding_added", (*self.call_forwardings, rule))

    def replace_call_forwarding(self, rule: CallForwarding) -> Change[Self]:
        """Replace the rule that has the same id."""
        rules = tuple(rule if known.id == rule.id else known for known in self.call_forwardings)
        return self._forwarding("account.call_forwarding_replaced", rules)

    def remove_call_forwarding(self, rule_id: int) -> Change[Self]:
        """Remove the rule with the id."""
        rules = tuple(known for known in self.call_forwardings if known.id != rule_id)
        return self._forwarding("account.call_forwarding_removed", rules)

    def disable_call_forwardings(self, contact_ids: Collection[int], now: datetime) -> Change[Self]:
        """Switch off the rules to accounts that are no longer contacts."""
        return self._forwarding("account.call_forwarding_disabled", self._without_contacts(contact_ids, now))

    def _forwarding(self, event: str, rules: tuple[CallForwarding, ...]) -> Change[Self]:
        return self._changed(event, expecting=self._same_forwardings, call_forwardings=rules)

    @property
    def _same_forwardings(self) -> Mapping[str, Any]:
        """The precondition that the rules are as they were read."""
        return {} if "call_forwardings" in self.unreadable else {"call_forwardings": self.call_forwardings}

    def _without_contacts(self, contact_ids: Collection[int], now: datetime) -> tuple[CallForwarding, ...]:
        """Return the rules, those to these contacts switched off."""
        return tuple(
            replace(rule, enabled=False, updated_at=now) if rule.enabled and rule.contact_id in contact_ids else rule
            for rule in self.call_forwardings
        )

    def _forwardings_without_contacts(self, now: datetime) -> dict[str, Any]:
        """Return the fields of an account that leaves its contacts behind, none without a rule to one."""
        gone = {rule.contact_id for rule in self.call_forwardings if rule.contact_id is not None}
        return {"call_forwardings": self._without_contacts(gone, now)} if gone else {}
