"""Verbs of an account about what is attached to it: types, actions, contacts, contacts lists."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from flexiapi.model.change import Change, Element, ElementChange
from flexiapi.model.parts import MOST_ENTRIES, Action, BridgedAccount, DictionaryEntry, ExternalAccount
from flexiapi.model.record import AccountRecord


class AccountLinks(AccountRecord):
    """Lists of an account, changed element by element.

    A change expects that an element to be added is not there, and one to be replaced or removed is.
    """

    __slots__ = ()

    def add_type(self, type_id: int) -> Change[Self]:
        """Attach an account type."""
        return self._added("account.type_added", "type_ids", type_id)

    def remove_type(self, type_id: int) -> Change[Self]:
        """Detach an account type."""
        return self._removed("account.type_removed", "type_ids", type_id)

    def add_contact(self, contact_id: int) -> Change[Self]:
        """Add a direct contact."""
        return self._added("account.contact_added", "contact_ids", contact_id)

    def remove_contact(self, contact_id: int) -> Change[Self]:
        """Remove a direct contact."""
        return self._removed("account.contact_removed", "contact_ids", contact_id)

    def add_contacts_list(self, list_id: int) -> Change[Self]:
        """Attach a contacts list."""
        return self._added("account.contacts_list_added", "contacts_list_ids", list_id)

    def remove_contacts_list(self, list_id: int) -> Change[Self]:
        """Detach a contacts list."""
        return self._removed("account.contacts_list_removed", "contacts_list_ids", list_id)

    def attach_external(self, external: ExternalAccount, now: datetime) -> Change[Self]:
        """Give the account an external account. Expects that it has none."""
        has_none = {"external_account": None}
        return self._changed(
            "account.external_account_attached", expecting=has_none, external_account=external, updated_at=now
        )

    def set_bridge(self, bridged: BridgedAccount) -> Change[Self]:
        """Set the bridged account. Expects that the one of before is as it was read."""
        return self._changed(
            "account.bridge_set",
            expecting=self._same_bridge,
            bridged_account=bridged,
            updated_at=bridged.updated_at,
        )

    def remove_bridge(self, now: datetime) -> Change[Self]:
        """Remove the bridged account. Expects that it is as it was read."""
        return self._changed(
            "account.bridge_removed", expecting=self._same_bridge, bridged_account=None, updated_at=now
        )

    @property
    def _same_bridge(self) -> Mapping[str, Any]:
        """The precondition that there is the same bridged account as when it was read, or none."""
        bridged = self.bridged_account
        if bridged is None:
            return {"bridged_account": None}
        return {"bridged_account.number": bridged.number, "bridged_account.updated_at": bridged.updated_at}

    def add_action(self, action: Action) -> Change[Self]:
        """Add an action."""
        return self._added("account.action_added", "actions", action)

    def replace_action(self, action: Action) -> Change[Self]:
        """Replace key and code of the action that has the same id."""
        actions = tuple(action if known.id == action.id else known for known in self.actions)
        element = Element("actions", ElementChange.REPLACED, action)
        return Change("account.action_replaced", self, replace(self, actions=actions), element=element)

    def remove_action(self, action_id: int) -> Change[Self]:
        """Remove the action with the id."""
        actions = tuple(known for known in self.actions if known.id != action_id)
        element = Element("actions", ElementChange.REMOVED, Action(action_id, "", ""))
        return Change("account.action_removed", self, replace(self, actions=actions), element=element)

    @property
    def dictionary_values(self) -> dict[str, str]:
        """The values of the dictionary by key."""
        return {entry.key: entry.value for entry in self.dictionary}

    def add_entry(self, entry: DictionaryEntry) -> Change[Self]:
        """Add an entry to the dictionary. Expects that there is room, and no entry with its key."""
        element = Element("dictionary", ElementChange.ADDED, entry, MOST_ENTRIES)
        return Change("account.entry_set", self, replace(self, dictionary=(*self.dictionary, entry)), element=element)

    def replace_entry(self, entry: DictionaryEntry) -> Change[Self]:
        """Replace the value of the entry that has the same key."""
        entries = tuple(entry if known.key == entry.key else known for known in self.dictionary)
        element = Element("dictionary", ElementChange.REPLACED, entry)
        return Change("account.entry_set", self, replace(self, dictionary=entries), element=element)

    def remove_entry(self, key: str) -> Change[Self]:
        """Remove the entry with the key."""
        entries = tuple(known for known in self.dictionary if known.key != key)
        element = Element("dictionary", ElementChange.REMOVED, DictionaryEntry(key, ""))
        return Change("account.entry_removed", self, replace(self, dictionary=entries), element=element)

    def clear_dictionary(self) -> Change[Self]:
        """Remove all entries of the dictionary."""
        return self._changed("account.dictionary_cleared", dictionary=())

    def _added(self, event: str, name: str, item: Any) -> Change[Self]:
        fields: dict[str, Any] = {name: (*getattr(self, name), item)}
        return Change(event, self, replace(self, **fields), element=Element(name, ElementChange.ADDED, item))

    def _removed(self, event: str, name: str, item: Any) -> Change[Self]:
        fields: dict[str, Any] = {name: tuple(known for known in getattr(self, name) if known != item)}
        return Change(event, self, replace(self, **fields), element=Element(name, ElementChange.REMOVED, item))
