"""Creation, replacement and removal of an account, without I/O."""

import dataclasses

import pytest

from flexiapi.model import Account, Actor, ActorKind, Confirmation, DtmfProtocol, Profile
from tests.model.accounts import EARLIER, LATER, MAILED, NEW, NOW, NUMBER, account, newcomer, written

PROFILE = Profile("alice.martin", "sip.example.org", NEW, display_name="Alice", user_agent="test")
SAME_ADDRESS = dataclasses.replace(PROFILE, email=account().email)


class TestNew:
    def test_one_that_waits_for_its_activation(self):
        change = Account.new(NOW, username="bob", domain="sip.example.org", passwords=(NEW,))
        assert change.before is None
        assert (change.after.activated, change.after.activated_at, change.after.admin_since) == (False, None, None)
        assert change.after.created_at == change.after.updated_at == NOW

    def test_an_active_administrator_from_earlier(self):
        names = {"username": "bob", "domain": "sip.example.org"}
        change = Account.new(NOW, activated=True, is_admin=True, created_at=EARLIER, **names)
        assert (change.after.activated, change.after.activated_at, change.after.admin_since) == (True, NOW, NOW)
        assert change.after.created_at == EARLIER


class TestReplacedLanguage:
    def replaced(self, language, *unreadable):
        before = dataclasses.replace(account(), language="fr", unreadable=unreadable)
        profile = dataclasses.replace(SAME_ADDRESS, language=language)
        return before.replaced_by(profile, NOW, ends_sign_ins=False, keeps_key=True)

    def test_a_replacement_without_one_keeps_it(self):
        assert "language" not in self.replaced(None).fields
        assert self.replaced("de").after.language == "de"

    def test_one_that_could_not_be_read_is_replaced(self):
        assert self.replaced("de", "language").after.language == "de"


class TestAmended:
    def amended(self, values, *, ends_sign_ins=False, leaves_space=False):
        before = account(phone="+33612345678", admin_since=EARLIER)
        return before.amended(values, NOW, ends_sign_ins=ends_sign_ins, keeps_key=False, leaves_space=leaves_space)

    def test_only_what_is_given_is_written(self):
        change = self.amended({"display_name": "Al"})
        assert (change.event, change.fields, change.expecting) == (
            "account.amended",
            {"display_name", "updated_at"},
            {},
        )
        assert (change.after.display_name, change.after.phone, change.after.updated_at) == ("Al", "+33612345678", NOW)

    def test_the_role_is_expected_as_read_when_it_is_given_or_the_space_is_left(self):
        assert self.amended({"is_admin": True}).expecting == {"admin_since": EARLIER}
        assert self.amended({"is_admin": False}).after.admin_since is None
        assert self.amended({"domain": "b.example.org"}, leaves_space=True).expecting == {"admin_since": EARLIER}

    def test_a_password_expects_the_name_that_its_hash_is_made_with(self):
        change = self.amended({"password": NEW}, ends_sign_ins=True)
        assert change.expecting == {"sign_in_epoch": change.before.sign_in_epoch, "blocked_at": None}
        assert (change.after.passwords, change.after.api_key) == ((NEW,), None)

    @pytest.mark.parametrize(
        ("values", "claimed"),
        [
            ({"display_name": "Al"}, (None, NUMBER, "alice@example.org")),
            ({"phone": NUMBER, "email": "alice@example.org"}, (None, NUMBER, "alice@example.org")),
            ({"phone": "+33699999999"}, ("+33699999999", None, "alice@example.org")),
            ({"phone": None}, (None, None, "alice@example.org")),
            ({"email": "other@example.org"}, (None, NUMBER, None)),
        ],
    )
    def test_what_is_claimed_stays_a_claim_and_what_is_new_is_proven(self, values, claimed):
        after = newcomer().amended(values, NOW, ends_sign_ins=False, keeps_key=True).after
        assert (after.phone, after.claimed_phone, after.claimed_email) == claimed

    def test_the_claim_of_the_name_stays_as_long_as_the_name(self):
        named = newcomer(username=NUMBER)
        for values, is_claim in (({"phone": None}, True), ({"phone": None, "username": "alice.martin"}, False)):
            assert named.amended(values, NOW, ends_sign_ins=False, keeps_key=True).after.is_claim is is_claim


class TestReplacedBy:
    def replaced(self, before, profile=PROFILE, *, ends_sign_ins=True, keeps_key=False):
        return before.replaced_by(profile, NOW, ends_sign_ins=ends_sign_ins, keeps_key=keeps_key)

    def test_what_the_profile_does_not_set_is_reset(self):
        before = account(phone="+33612345678", dtmf_protocol=DtmfProtocol.SIPINFO, admin_since=EARLIER)
        after = self.replaced(before).after
        assert (after.email, after.phone, after.dtmf_protocol, after.admin_since) == (None, None, None, None)
        assert (after.display_name, after.user_agent, after.updated_at) == ("Alice", "test", NOW)

    def test_the_role_keeps_its_date_and_is_expected_as_read(self):
        change = self.replaced(account(admin_since=EARLIER), dataclasses.replace(SAME_ADDRESS, is_admin=True))
        assert change.after.admin_since == EARLIER
        assert change.expecting == {"admin_since": EARLIER}

    def test_another_password_ends_sign_ins_and_codes(self):
        change = self.replaced(account())
        assert change.ends_sign_ins
        after = change.after
        ended = (after.api_key, after.confirmation, after.provisioning_token, after.email_change, after.phone_change)
        assert ended == (None,) * 5

    def test_the_callers_own_key_may_stay(self):
        assert "api_key" not in self.replaced(account(), keeps_key=True).fields

    def test_what_activates_for_the_first_time_stays(self):
        waiting = account(activated=False, activated_at=None, confirmation=MAILED)
        change = self.replaced(waiting, SAME_ADDRESS)
        assert (change.after.confirmation, change.after.provisioning_token) == (MAILED, "token")
        assert change.after.email_change is None

    def test_another_address_expects_that_what_stays_is_as_read(self):
        waiting = account(activated=False, activated_at=None, confirmation=Confirmation(key="shown"))
        change = self.replaced(waiting, ends_sign_ins=False)
        kept = {"provisioning_token": "token", "confirmation.key": "shown"}
        assert change.expecting == {"admin_since": None, **kept}
        bare = self.replaced(account(confirmation=None, provisioning_token=None), ends_sign_ins=False)
        assert (bare.expecting, {"confirmation", "provisioning_token"} <= bare.fields) == ({"admin_since": None}, True)

    def test_what_is_of_a_space_stays_behind(self):
        before = account(type_ids=(1,), contact_ids=(2,), contacts_list_ids=(3,))
        after = before.replaced_by(PROFILE, NOW, ends_sign_ins=True, keeps_key=False, leaves_space=True).after
        assert (after.type_ids, after.contact_ids, after.contacts_list_ids) == ((), (), ())
        assert self.replaced(before).after.type_ids == (1,)

    def test_the_same_password_ends_nothing(self):
        change = self.replaced(account(), ends_sign_ins=False)
        assert not change.ends_sign_ins
        assert not change.fields & {"api_key", "confirmation", "provisioning_token"}


class TestBeginningAgain:
    @pytest.mark.parametrize(
        ("fields", "may"),
        [
            ({}, True),
            ({"confirmation": Confirmation(pin_hash=b"pin", expires_at=NOW)}, True),
            ({"replacing_until": NOW}, True),
            ({"confirmation": Confirmation(pin_hash=b"pin", expires_at=LATER)}, False),
            ({"confirmation": Confirmation(key="shown")}, False),
            ({"replacing_until": LATER}, False),
            ({"unconfirmed": False}, False),
            *(({name: EARLIER}, False) for name in ("activated_at", "deactivated_at", "blocked_at", "admin_since")),
        ],
    )
    def test_only_what_the_public_made_and_nobody_touched_or_waits_for_is_replaced(self, fields, may):
        assert newcomer(**fields).may_be_replaced(NOW) is may

    def test_the_mark_expects_that_nobody_touched_or_marked_it_since(self):
        change = newcomer().begin_replacement(LATER)
        assert written(change) == {"replacing_until": LATER}
        untouched = dict.fromkeys(("deactivated_at", "replacing_until", "activated_at", "blocked_at", "admin_since"))
        assert change.expecting == {**untouched, "unconfirmed": True, "activated": False, "confirmation": None}
        waiting = newcomer(confirmation=MAILED).begin_replacement(LATER)
        assert waiting.expecting["confirmation.expires_at"] == MAILED.expires_at

    def test_only_ones_own_mark_is_removed(self):
        change = newcomer(replacing_until=LATER).end_replacement()
        assert (written(change), change.expecting) == ({"replacing_until": None}, {"replacing_until": LATER})

    def test_it_makes_room_only_as_it_was_marked(self):
        change = newcomer(replacing_until=LATER).make_room()
        assert (change.event, change.after) == ("account.removed", None)
        untouched = dict.fromkeys(("activated_at", "blocked_at", "admin_since"))
        assert change.expecting == {**untouched, "replacing_until": LATER, "activated": False}


def test_a_removal_expects_the_named_fields_as_they_were_read():
    change = account().remove("activated", "activated_at")
    assert change.after is None
    assert change.expecting == {"activated": True, "activated_at": EARLIER}


def test_no_verb_changes_the_account():
    before = account()
    before.shut_out(NOW)
    before.with_password(NEW, NOW, keeps_key=False)
    assert before == account()


def test_no_secret_is_in_the_text_of_a_change():
    waiting = account(confirmation=MAILED)
    for change in (waiting.use_code(NOW), waiting.with_provisioning_token("t0ken-of-phone", NOW)):
        text = repr(change)
        assert MAILED.key not in text
        assert "t0ken-of-phone" not in text
        assert NEW.ha1 not in text


class TestActor:
    def test_it_hands_over_the_changed_accounts_once_in_order(self):
        actor = Actor.system()
        for account_id in (3, 1, 3):
            actor.credentials_changed(account_id)
        assert actor.take_changed() == [3, 1]
        assert actor.take_changed() == []

    @pytest.mark.parametrize(
        ("actor", "label"),
        [
            (Actor.cli(), "cli"),
            (Actor.system(), "system"),
            (Actor(ActorKind.ACCOUNT, 12), "12"),
            (Actor(ActorKind.KEY, key_id=3), "key:3"),
        ],
    )
    def test_its_label_for_logs(self, actor, label):
        assert actor.label == label


def test_becoming_active_is_written_in_one_place_for_all_verbs():
    waiting = account(activated=False, activated_at=None, passwords=(), confirmation=MAILED)
    changes = [
        waiting.activate(NOW),
        waiting.use_code(NOW),
        waiting.confirm_change("email", NOW),
        waiting.confirm_change("phone", NOW),
        waiting.use_provisioning_token(NOW),
        waiting.with_password(NEW, NOW, keeps_key=True),
    ]
    for change in changes:
        assert written(change).items() >= {"activated": True, "activated_at": NOW, "updated_at": NOW}.items()
    for change in changes[1:]:
        assert written(change).items() >= {"confirmation": None, "activation_expiration": None}.items()
