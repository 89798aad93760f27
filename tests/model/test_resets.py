"""Keys and links that anyone can have mailed to the owner of an account, without I/O."""

from dataclasses import replace

import pytest

from tests.model.accounts import CODES_ENDED, LATER, MAILED, NEW, NOW, TEXTED, account, newcomer, written


class TestRecoveryKey:
    def test_it_does_not_end_a_pin_that_the_owner_waits_for(self):
        change = account(confirmation=TEXTED).await_recovery_key(replace(MAILED, expires_at=LATER))
        waiting = change.after.confirmation
        assert (waiting.key, waiting.expires_at) == (MAILED.key, LATER)
        assert (waiting.pin_hash, waiting.pin_expires_at) == (TEXTED.pin_hash, TEXTED.expires_at)

    @pytest.mark.parametrize(
        ("pending", "same"),
        [
            (None, {"confirmation": None}),
            (TEXTED, {"confirmation.pin_hash": b"pin"}),
            (MAILED, {"confirmation.key": MAILED.key}),
        ],
    )
    def test_it_is_kept_only_for_what_it_was_sent_for(self, pending, same):
        change = account(confirmation=pending).await_recovery_key(MAILED)
        expected = {"activated": True, "email": "alice@example.org", "sign_in_epoch": 3, **same}
        assert expected.items() <= change.expecting.items()


class TestLink:
    def test_it_ends_everything_that_signs_in(self):
        change = account().reset_password([NEW], NOW)
        assert change.ends_sign_ins
        assert written(change).items() >= (CODES_ENDED | {"passwords": (NEW,), "api_key": None}).items()
        assert change.after.activated_at == account().activated_at

    def test_it_proves_the_address_and_takes_the_password_of_who_signed_up_away(self):
        change = newcomer(has_first_password=True).reset_password([NEW], NOW)
        after = change.after
        assert (after.activated, after.claimed_email, after.unconfirmed, after.has_first_password) == (
            True,
            None,
            False,
            False,
        )
        assert after.claimed_phone == newcomer().claimed_phone

    def test_it_is_used_only_for_what_it_was_sent_for(self):
        expected = {"email": "alice@example.org", "activated": True, "deactivated_at": None, "sign_in_epoch": 3}
        assert account().reset_password([NEW], NOW).expecting == expected | {"blocked_at": None}
