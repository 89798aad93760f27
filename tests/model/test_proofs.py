"""Confirmation codes, changes of address and provisioning tokens, without I/O."""

from dataclasses import replace

import pytest

from flexiapi.model import Confirmation, ProvisioningFetch, Undelivered
from tests.model.accounts import (
    CODES_ENDED,
    EARLIER,
    LATER,
    MAILED,
    NEW,
    NOW,
    NUMBER,
    OLD,
    TEXTED,
    TOKEN_ENDED,
    account,
    newcomer,
    pending,
    written,
)

WAITING = {"activated": False, "activated_at": None}
FETCHED = ProvisioningFetch(NOW, EARLIER)
ACTIVE = {
    "activated": True,
    "activated_at": NOW,
    "confirmation": None,
    "activation_expiration": None,
}


class TestConfirmation:
    def test_a_code_is_kept_only_for_the_account_that_it_was_sent_for(self):
        change = account().await_code(MAILED)
        assert written(change) == {"confirmation": MAILED}
        assert change.expecting == {
            "activated": True,
            "email": "alice@example.org",
            "sign_in_epoch": 3,
            "blocked_at": None,
        }

    def test_a_recovery_mail_also_brings_a_provisioning_token(self):
        change = account().await_recovery(MAILED, "fresh", NOW)
        made = {"provisioning_token": "fresh", "provisioning_token_at": NOW, "provisioning_by": "mail"}
        token = made | {"provisioning_token_until": NOW}
        assert written(change) == {"confirmation": MAILED, "updated_at": NOW} | token
        assert change.expecting == account().await_code(MAILED).expecting

    @pytest.mark.parametrize(
        ("code", "expected"), [(MAILED, {"confirmation.key": MAILED.key}), (TEXTED, {"confirmation.pin_hash": b"pin"})]
    )
    def test_a_code_is_used_once(self, code, expected):
        change = account(**WAITING, confirmation=code).use_code(NOW)
        assert written(change) == ACTIVE | {"updated_at": NOW}
        assert change.expecting == expected | {"deactivated_at": None, "blocked_at": None}

    def test_a_code_that_recovers_keeps_the_date_of_the_first_activation(self):
        assert account().use_code(NOW).after.activated_at == EARLIER

    def test_only_the_code_that_was_compared_is_dropped(self):
        change = account(confirmation=MAILED).drop_code()
        assert written(change) == {"confirmation": None}
        assert change.expecting == {"confirmation.key": MAILED.key, "deactivated_at": None, "blocked_at": None}

    def test_a_first_code_is_set_only_while_the_account_is_held_for_it(self):
        change = newcomer(replacing_until=LATER).await_first_code(TEXTED)
        assert written(change) == {"confirmation": TEXTED, "replacing_until": None}
        assert change.expecting == {"replacing_until": LATER, "activated": False}

    def test_a_code_that_is_sent_ends_the_note_of_one_that_could_not_be_and_nothing_else_does(self):
        message = Undelivered("account.recovery", "sms.main", "busy", NOW)
        change = account().note_undelivered(message)
        assert (change.event, written(change)) == ("account.code_not_sent", {"undelivered": message})
        noted = change.after
        key = account(confirmation=Confirmation(key="WatDmy0pTd4cO", expires_at=LATER), undelivered=message)
        sent = [
            noted.await_code(MAILED),
            noted.await_recovery(MAILED, "fresh", NOW),
            key.await_recovery_pin(TEXTED, NOW),
            noted.await_change("phone", pending("target")),
        ]
        assert {change.after.undelivered for change in sent} == {None}
        assert noted.use_code(NOW).after.undelivered == message


class TestRecoveryPin:
    PIN = Confirmation(pin_hash=b"pin", expires_at=LATER, networks=("192.0.2.1",))

    def test_it_stands_beside_a_mailed_key_that_is_valid(self):
        key = Confirmation(key="WatDmy0pTd4cO", expires_at=LATER)
        change = account(confirmation=key).await_recovery_pin(self.PIN, NOW)
        both = replace(self.PIN, key=key.key, expires_at=LATER, pin_expires_at=LATER)
        assert written(change) == {"confirmation": both}
        as_when_sent = account().await_code(self.PIN).expecting
        assert change.expecting == {**as_when_sent, "confirmation.key": key.key, "deactivated_at": None}

    @pytest.mark.parametrize("before", [None, MAILED, TEXTED])
    def test_it_takes_the_place_of_a_pin_and_of_a_key_that_has_expired(self, before):
        change = account(confirmation=before).await_recovery_pin(self.PIN, NOW)
        assert written(change) == {"confirmation": self.PIN}

    def test_the_first_four_networks_that_ask_keep_their_share_until_the_pin_ends(self):
        asked = account(confirmation=self.PIN)
        assert asked.networks_asking("192.0.2.2", NOW) == ("192.0.2.1", "192.0.2.2")
        assert asked.networks_asking("192.0.2.1", NOW) == ("192.0.2.1",)
        assert asked.networks_asking("192.0.2.2", LATER) == ("192.0.2.2",)
        crowded = account(confirmation=replace(self.PIN, networks=("a", "b", "c", "d")))
        assert crowded.networks_asking("e", NOW) == ("a", "b", "c", "d")


class TestRecover:
    def test_it_ends_what_signs_in_and_all_codes_but_not_the_password(self):
        change = account(confirmation=MAILED).recover(NOW)
        ended = {"api_key": None, "activation_expiration": None} | CODES_ENDED
        assert written(change) == {"activated": True, "activated_at": EARLIER, "updated_at": NOW} | ended
        assert (change.ends_sign_ins, change.after.sign_in_epoch, change.after.passwords) == (True, 4, (OLD,))
        assert change.expecting == account(confirmation=MAILED).use_code(NOW).expecting

    @pytest.mark.parametrize(
        ("username", "phone", "is_to_name", "kept"),
        [
            ("alice.martin", NUMBER, False, (False, NUMBER)),
            (NUMBER, NUMBER, True, (False, NUMBER)),
            (NUMBER, "+33699999999", True, (False, NUMBER)),
            (NUMBER, "+33699999999", False, (True, "+33699999999")),
        ],
    )
    def test_a_new_password_is_the_owners_unless_the_pin_went_to_another_number(
        self, username, phone, is_to_name, kept
    ):
        before = account(username=username, phone=phone, has_first_password=True, confirmation=TEXTED)
        after = before.recover(NOW, (NEW,), is_to_name=is_to_name).after
        assert (after.passwords, (after.has_first_password, after.phone)) == ((NEW,), kept)

    @pytest.mark.parametrize(("code", "address"), [(TEXTED, None), (MAILED, "alice@example.org")])
    def test_with_a_new_password_an_address_stays_only_if_it_is_proven(self, code, address):
        before = account(claimed_email="alice@example.org", has_first_password=True, confirmation=code)
        after = before.recover(NOW, (NEW,)).after
        assert (after.email, after.claimed_email) == (address, None)


class TestClaims:
    @pytest.mark.parametrize(
        ("code", "proven"), [(TEXTED, (NUMBER, None, "alice@example.org")), (MAILED, (None, NUMBER, None))]
    )
    def test_a_code_proves_what_it_was_sent_to_and_nothing_else(self, code, proven):
        after = newcomer(confirmation=code).use_code(NOW).after
        assert (after.phone, after.claimed_phone, after.claimed_email) == proven
        assert (after.activated, after.unconfirmed) == (True, False)

    @pytest.mark.parametrize(("channel", "other"), [("phone", "email"), ("email", "phone")])
    def test_a_proven_change_ends_the_claim_of_its_channel(self, channel, other):
        before = newcomer(**{f"{channel}_change": pending("target")})
        after = before.confirm_change(channel, NOW).after
        assert (getattr(after, channel), getattr(after, f"claimed_{channel}")) == ("target", None)
        assert getattr(after, f"claimed_{other}") == getattr(before, f"claimed_{other}")
        assert (after.activated, after.unconfirmed) == (True, False)

    @pytest.mark.parametrize(
        ("username", "by", "activates", "phone"),
        [
            ("alice.martin", None, False, None),
            ("alice.martin", "mail", True, None),
            ("alice.martin", "admin", True, None),
            (NUMBER, None, False, None),
            (NUMBER, "mail", False, None),
            (NUMBER, "admin", True, NUMBER),
        ],
    )
    def test_a_token_activates_by_who_made_it(self, username, by, activates, phone):
        after = newcomer(username=username, provisioning_by=by).use_provisioning_token(NOW).after
        assert (after.activated, after.phone, after.provisioning_token) == (activates, phone, None)
        assert (after.unconfirmed, after.claimed_phone) == (not activates, None if phone else NUMBER)
        assert (after.claimed_email is None) == (by == "mail")

    def test_a_token_of_its_own_activates_an_account_that_has_no_mark(self):
        assert account(**WAITING).use_provisioning_token(NOW).after.activated

    @pytest.mark.parametrize(("username", "phone"), [("alice.martin", None), (NUMBER, NUMBER)])
    def test_an_activation_by_an_administrator_proves_a_number_that_is_the_name(self, username, phone):
        after = newcomer(username=username).activate(NOW).after
        assert (after.phone, after.unconfirmed, after.activated) == (phone, False, True)


class TestChangeOfAddress:
    @pytest.mark.parametrize("channel", ["email", "phone"])
    def test_a_change_waits_for_its_code(self, channel):
        wanted = pending("target")
        change = account().await_change(channel, wanted)
        assert written(change) == {f"{channel}_change": wanted}
        assert change.expecting == {"sign_in_epoch": 3, "blocked_at": None}

    def test_a_proven_number_activates(self):
        change = account(**WAITING).confirm_change("phone", NOW)
        proved = {"phone": "+33612345678", "phone_change": None, "updated_at": NOW}
        assert written(change) == ACTIVE | proved
        assert change.expecting == {"phone_change.pin_hash": b"pin", "blocked_at": None}
        assert change.after.provisioning_token == "token"

    def test_a_proven_address_also_ends_the_link_that_was_mailed_to_the_old_one(self):
        change = account(**WAITING).confirm_change("email", NOW)
        proved = {"email": "new@example.org", "email_change": None, "updated_at": NOW}
        assert written(change) == ACTIVE | proved | TOKEN_ENDED

    @pytest.mark.parametrize("channel", ["email", "phone"])
    def test_only_the_change_that_was_looked_at_is_dropped(self, channel):
        change = account().drop_change(channel)
        assert written(change) == {f"{channel}_change": None}
        assert change.expecting == {f"{channel}_change.pin_hash": b"pin", "blocked_at": None}


class TestProvisioning:
    def test_a_fresh_token_takes_the_place_of_the_one_before(self):
        change = account().with_provisioning_token("fresh", NOW)
        made = {"provisioning_token": "fresh", "provisioning_token_at": NOW, "provisioning_by": None}
        assert written(change) == made | {"provisioning_token_until": None, "updated_at": NOW}
        assert change.expecting == {"sign_in_epoch": 3, "blocked_at": None}

    def test_a_mailed_token_ends_with_the_address_that_it_was_mailed_to(self):
        change = account().with_provisioning_token("fresh", NOW, "mail")
        assert change.after.provisioning_by == "mail"
        assert change.expecting == {
            "sign_in_epoch": 3,
            "blocked_at": None,
            "email": "alice@example.org",
            "activated": True,
        }

    def test_the_first_use_activates_and_ends_the_token(self):
        change = account(**WAITING).use_provisioning_token(NOW)
        assert written(change) == ACTIVE | TOKEN_ENDED | {"updated_at": NOW, "last_provisioning": FETCHED}
        assert change.expecting == {"provisioning_token": "token", "sign_in_epoch": 3, "blocked_at": None}
        assert not change.ends_sign_ins

    def test_an_active_account_keeps_its_pending_code(self):
        change = account().use_provisioning_token(NOW)
        assert "confirmation" not in change.fields
        assert change.after.activated_at == EARLIER

    def test_a_reset_sets_the_password_and_ends_the_rest(self):
        change = account().use_provisioning_token(NOW, NEW)
        reset = {"passwords": (NEW,), "api_key": None, "updated_at": NOW, "last_provisioning": FETCHED}
        assert written(change) == reset | CODES_ENDED
        assert change.ends_sign_ins

    def test_the_use_is_kept_with_a_part_of_a_long_user_agent(self):
        change = account().use_provisioning_token(NOW, address="192.0.2.7", user_agent="Linphone" * 1000)
        kept = change.after.last_provisioning
        assert (kept.made_at, kept.fetched_at, kept.address) == (EARLIER, NOW, "192.0.2.7")
        assert kept.user_agent == "Linphone" * 25
