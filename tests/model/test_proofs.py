"""Confirmation codes, changes of address and provisioning tokens, without I/O."""

import pytest

from tests.model.accounts import CODES_ENDED, EARLIER, MAILED, NEW, NOW, TEXTED, TOKEN_ENDED, account, pending, written

WAITING = {"activated": False, "activated_at": None}
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
        assert change.expecting == {"activated": True, "email": "alice@example.org", "sign_in_epoch": 3}

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
        assert change.expecting == expected | {"deactivated_at": None}

    def test_a_code_that_recovers_keeps_the_date_of_the_first_activation(self):
        assert account().use_code(NOW).after.activated_at == EARLIER

    def test_only_the_code_that_was_compared_is_dropped(self):
        change = account(confirmation=MAILED).drop_code()
        assert written(change) == {"confirmation": None}
        assert change.expecting == {"confirmation.key": MAILED.key, "deactivated_at": None}


class TestChangeOfAddress:
    @pytest.mark.parametrize("channel", ["email", "phone"])
    def test_a_change_waits_for_its_code(self, channel):
        wanted = pending("target")
        change = account().await_change(channel, wanted)
        assert written(change) == {f"{channel}_change": wanted}
        assert change.expecting == {"sign_in_epoch": 3}

    def test_a_proven_number_activates(self):
        change = account(**WAITING).confirm_change("phone", NOW)
        proved = {"phone": "+33612345678", "phone_change": None, "updated_at": NOW}
        assert written(change) == ACTIVE | proved
        assert change.expecting == {"phone_change.pin_hash": b"pin"}
        assert change.after.provisioning_token == "token"

    def test_a_proven_address_also_ends_the_link_that_was_mailed_to_the_old_one(self):
        change = account(**WAITING).confirm_change("email", NOW)
        proved = {"email": "new@example.org", "email_change": None, "updated_at": NOW}
        assert written(change) == ACTIVE | proved | TOKEN_ENDED

    @pytest.mark.parametrize("channel", ["email", "phone"])
    def test_only_the_change_that_was_looked_at_is_dropped(self, channel):
        change = account().drop_change(channel)
        assert written(change) == {f"{channel}_change": None}
        assert change.expecting == {f"{channel}_change.pin_hash": b"pin"}


class TestProvisioning:
    def test_a_fresh_token_takes_the_place_of_the_one_before(self):
        change = account().with_provisioning_token("fresh", NOW)
        made = {"provisioning_token": "fresh", "provisioning_token_at": NOW, "provisioning_by": None}
        assert written(change) == made | {"provisioning_token_until": None, "updated_at": NOW}
        assert change.expecting == {"sign_in_epoch": 3}

    def test_the_first_use_activates_and_ends_the_token(self):
        change = account(**WAITING).use_provisioning_token(NOW)
        assert written(change) == ACTIVE | TOKEN_ENDED | {"updated_at": NOW}
        assert change.expecting == {"provisioning_token": "token", "sign_in_epoch": 3}
        assert not change.ends_sign_ins

    def test_an_active_account_keeps_its_pending_code(self):
        change = account().use_provisioning_token(NOW)
        assert "confirmation" not in change.fields
        assert change.after.activated_at == EARLIER

    def test_a_reset_sets_the_password_and_ends_the_rest(self):
        change = account().use_provisioning_token(NOW, NEW)
        assert written(change) == {"passwords": (NEW,), "api_key": None, "updated_at": NOW} | CODES_ENDED
        assert change.ends_sign_ins
