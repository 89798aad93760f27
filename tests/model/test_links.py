"""Types, actions, contacts and contacts lists of an account, without I/O."""

import pytest

from flexiapi.model import Action, Algorithm, ElementChange, ExternalAccount
from tests.model.accounts import NOW, account, written

EXTERNAL = ExternalAccount("outside", "sip.example.com", "group", "0" * 64, Algorithm.SHA_256)
LISTS = [("type", "type_ids"), ("contact", "contact_ids"), ("contacts_list", "contacts_list_ids")]


@pytest.mark.parametrize(("noun", "field"), LISTS)
def test_an_id_is_added_and_removed_alone(noun, field):
    before = account(**{field: (1, 2)})
    added = getattr(before, f"add_{noun}")(3)
    assert getattr(added.after, field) == (1, 2, 3)
    assert (added.element.field, added.element.kind, added.element.item) == (field, ElementChange.ADDED, 3)
    removed = getattr(before, f"remove_{noun}")(1)
    assert getattr(removed.after, field) == (2,)
    assert (removed.element.field, removed.element.kind, removed.element.item) == (field, ElementChange.REMOVED, 1)
    assert added.fields == removed.fields == frozenset()
    assert (added.event, removed.event) == (f"account.{noun}_added", f"account.{noun}_removed")


def test_an_external_account_is_attached_only_to_one_that_has_none():
    change = account().attach_external(EXTERNAL, NOW)
    assert written(change) == {"external_account": EXTERNAL, "updated_at": NOW}
    assert change.expecting == {"external_account": None}


class TestActions:
    before = account(actions=(Action(1, "open", "1"), Action(2, "close", "2")))

    def test_one_is_added(self):
        change = self.before.add_action(Action(3, "ring", "3"))
        assert [action.id for action in change.after.actions] == [1, 2, 3]
        assert change.element.kind is ElementChange.ADDED

    def test_one_is_replaced_in_its_place(self):
        change = self.before.replace_action(Action(1, "unlock", "9"))
        assert change.after.actions == (Action(1, "unlock", "9"), Action(2, "close", "2"))
        assert change.element.kind is ElementChange.REPLACED

    def test_one_is_removed(self):
        change = self.before.remove_action(1)
        assert change.after.actions == (Action(2, "close", "2"),)
        assert change.element.item.id == 1
