"""Activation, deactivation, passwords, API keys and the admin role, without I/O."""

import pytest

from tests.model.accounts import CODES_ENDED, EARLIER, KEY, MAILED, NEW, NOW, OLD, account, written


class TestActivate:
    def test_an_administrator_activates_and_pending_codes_stay(self):
        change = account(activated=False, activated_at=None).activate(NOW)
        assert written(change) == {"activated": True, "activated_at": NOW, "updated_at": NOW}
        assert change.after.confirmation is not None
        assert change.event == "account.activated"
        assert not change.ends_sign_ins

    def test_the_first_activation_stays_on_record(self):
        assert account(activated=False).activate(NOW).after.activated_at == EARLIER


class TestLanguage:
    def test_it_is_set_and_removed_alone(self):
        change = account().with_language("fr", NOW)
        assert (change.event, written(change)) == ("account.language_set", {"language": "fr", "updated_at": NOW})
        assert written(change.after.with_language(None, NOW))["language"] is None


class TestShutOut:
    def test_everything_ends(self):
        change = account().shut_out(NOW)
        state = {"activated": False, "activated_at": EARLIER, "api_key": None, "updated_at": NOW}
        assert written(change) == state | CODES_ENDED
        assert change.ends_sign_ins
        assert change.after.sign_in_epoch == 4
        assert change.after.is_shut_out

    def test_an_active_account_without_date_gets_one_so_that_it_stays_shut_out(self):
        assert account(activated_at=None).shut_out(NOW).after.is_shut_out

    def test_one_that_was_never_active_keeps_what_it_was_given_and_is_shut_out_until_it_is_activated(self):
        change = account(activated=False, activated_at=None, confirmation=MAILED).shut_out(NOW)
        after = change.after
        assert (after.confirmation, after.provisioning_token, after.activated_at) == (MAILED, "token", None)
        assert (after.email_change, after.phone_change, after.api_key) == (None, None, None)
        assert after.is_shut_out
        assert after.is_barred
        again = after.activate(NOW).after
        assert (again.is_shut_out, again.is_barred, again.confirmation) == (False, False, MAILED)
        assert again.shut_out(NOW).after.provisioning_token is None

    def test_what_an_administrator_gives_it_anew_takes_the_place_of_all_that_and_lets_it_in(self):
        barred = account(activated=False, activated_at=None, deactivated_at=EARLIER, confirmation=MAILED)
        provisioned = barred.with_provisioning_token("fresh", NOW).after
        assert (provisioned.is_barred, provisioned.provisioning_token, provisioned.confirmation) == (
            False,
            "fresh",
            None,
        )
        recovered = barred.await_recovery(MAILED, "fresh", NOW).after
        assert (recovered.is_barred, recovered.provisioning_token, recovered.confirmation) == (False, "fresh", MAILED)

    def test_it_expects_activation_and_role_as_they_were_read(self):
        change = account(admin_since=EARLIER).shut_out(NOW)
        assert change.expecting == {"activated": True, "activated_at": EARLIER, "admin_since": EARLIER}


class TestPassword:
    def test_another_password_ends_what_the_old_one_gave(self):
        change = account().with_password(NEW, NOW, keeps_key=False)
        assert written(change) == {"passwords": (NEW,), "updated_at": NOW, "api_key": None} | CODES_ENDED
        assert change.ends_sign_ins
        assert change.expecting == {"sign_in_epoch": 3, "blocked_at": None}

    def test_the_key_of_the_request_may_stay(self):
        change = account().with_password(NEW, NOW, keeps_key=True)
        assert "api_key" not in change.fields
        assert change.after.api_key == KEY

    def test_a_change_may_end_no_sign_in_and_have_several_hashes(self):
        change = account().with_password(NEW, NOW, OLD, keeps_key=True, keeps_sign_ins=True)
        assert written(change) == {"passwords": (NEW, OLD), "updated_at": NOW} | CODES_ENDED
        assert (change.ends_sign_ins, change.after.sign_in_epoch) == (False, 3)

    def test_the_first_password_activates_and_ends_the_deadline_for_that(self):
        waiting = account(passwords=(), activated=False, activated_at=None)
        change = waiting.with_password(NEW, NOW, keeps_key=True)
        assert change.after.activated
        assert change.after.activated_at == NOW
        assert "activation_expiration" in change.fields

    def test_a_later_password_does_not_activate(self):
        change = account(activated=False, activated_at=None).with_password(NEW, NOW, keeps_key=False)
        assert not change.after.activated
        assert "activated" not in change.fields


class TestApiKey:
    def test_a_new_key_counts_as_used_now_and_expects_the_same_sign_in(self):
        change = account().with_api_key(b"other", NOW)
        assert change.fields == {"api_key"}
        assert (change.after.api_key.hash, change.after.api_key.last_used_at) == (b"other", NOW)
        assert change.expecting == {"sign_in_epoch": 3, "blocked_at": None}

    def test_an_expired_key_is_removed_only_while_it_is_the_same(self):
        change = account().without_api_key()
        assert written(change) == {"api_key": None}
        assert change.expecting == {"api_key.hash": b"hash"}


@pytest.mark.parametrize(("before", "after"), [(None, NOW), (EARLIER, EARLIER)])
def test_the_role_keeps_its_date(before, after):
    change = account(admin_since=before).grant_admin(NOW)
    assert written(change) == {"admin_since": after, "updated_at": NOW}


def test_who_waits_for_the_first_entry():
    assert account(activated=False, confirmation=MAILED).waits_for_first_entry
    assert not account(activated=False).waits_for_first_entry
    assert not account(confirmation=MAILED).waits_for_first_entry


def test_a_sign_out_ends_key_and_sign_ins_and_keeps_password_and_codes():
    change = account().sign_out(NOW)
    assert written(change) == {"api_key": None, "updated_at": NOW}
    assert change.ends_sign_ins
    assert (change.after.passwords, change.after.provisioning_token) == ((OLD,), "token")


def test_an_unlock_is_noted_with_its_time_and_ends_nothing():
    change = account().unlock(NOW)
    assert written(change) == {"unlocked_at": NOW, "updated_at": NOW}
    assert change.event == "account.unlocked"
    assert not change.ends_sign_ins


class TestBlock:
    def test_a_block_keeps_everything_and_ends_no_sign_in(self):
        change = account(admin_since=EARLIER).block(NOW)
        assert written(change) == {"blocked_at": NOW, "updated_at": NOW}
        assert not change.ends_sign_ins
        assert change.expecting == {"activated": True, "admin_since": EARLIER}
        assert change.after.is_blocked
        assert change.after.block(NOW).after.blocked_at == NOW
        assert not change.after.unblock(NOW).after.is_blocked

    def test_the_reason_of_a_block_stays_until_another_one_or_its_end(self):
        blocked = account().block(NOW, "spam").after
        assert blocked.block(NOW).after.block_reason == "spam"
        assert blocked.block(NOW, "fraud").after.block_reason == "fraud"
        assert written(blocked.unblock(NOW)) == {"blocked_at": None, "block_reason": None, "updated_at": NOW}

    def test_verbs_of_the_account_itself_expect_that_it_was_not_blocked_meanwhile(self):
        for before, is_expected in ((account(), True), (account(blocked_at=EARLIER), False)):
            changes = [
                before.use_code(NOW),
                before.recover(NOW),
                before.confirm_change("phone", NOW),
                before.use_provisioning_token(NOW),
                before.with_password(NEW, NOW, keeps_key=True),
                before.with_api_key(b"other", NOW),
            ]
            assert {change.expecting.get("blocked_at", "any") for change in changes} == {None if is_expected else "any"}
