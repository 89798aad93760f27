"""Budgets of SMS over all callers, by number prefix and in all, and prefixes of numbers that get none."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from flexiapi.errors import DeliveryFailed, TooManyRequests
from flexiapi.server.budget_figures import BudgetFigures
from flexiapi.server.operator_notices import OperatorNotices
from tests.kit.server import shared_by_module
from tests.kit.watched_log import LOG

pytestmark = pytest.mark.security

REQUEST = "/api/accounts/me/phone/request"
FRENCH, OVERSEAS, SWISS, BRITISH = "+336123456", "+590690123", "+417812345", "+447400123"
"""Beginnings of numbers, to which two digits are put."""

server = shared_by_module(
    {
        "limits": {
            "codes_per_account": 0,
            "sms_per_number_and_network": 1,
            "sms_total_per_day": 40,
            "sms_by_prefix": {"+33": 20, "+": 10, "+41": 0},
            "sms_allowed_prefixes": ["+33", "+590690", "+41", "+44"],
            "sms_denied_prefixes": ["+590", "+4479"],
        },
        "notices": {"to": ["operator@example.net"]},
    }
)


@pytest.fixture(autouse=True)
def new_day(server):
    """Budgets that nothing is used of."""
    server.later(days=1, seconds=1)


@pytest.fixture
def ask(server):
    return asking(server)


def asking(server):
    """Ask for a code to a number, as a user with a new account."""
    person = server.person()
    return lambda phone: server.http.post(REQUEST, json={"phone": phone}, headers=person.headers)


def numbers(beginning, count):
    return [f"{beginning}{number:02}" for number in range(count)]


def statuses(answers):
    return [answer.status_code for answer in answers]


def sent(server):
    return [message for message in server.messages if message["kind"] == "phone.change"]


def test_fifty_requests_at_once_take_no_more_than_the_budget_of_their_prefix(server, ask):
    before = len(sent(server))
    with ThreadPoolExecutor(50) as pool:
        found = statuses(pool.map(ask, numbers(FRENCH, 50)))
    assert sorted(found) == [200] * 20 + [429] * 30
    assert len(sent(server)) - before == 20


def test_one_over_the_budget_is_told_no_more_than_to_wait_and_operators_read_which_it_is(server, ask):
    assert statuses(map(ask, numbers(FRENCH, 20))) == [200] * 20
    refused = ask(f"{FRENCH}99")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"
    assert refused.json() == {"message": "Too many requests. Try again in 3600 s."}
    assert "budget of SMS is used up budget=+33 until=" in LOG.stream.getvalue()


def test_what_fails_after_the_end_of_its_day_is_not_given_back_to_the_next(server):
    limiter, use = server.services.limiter, ("sms_budget +33", "all")
    taken_at = server.run(limiter.take(*[use] * 20))
    server.later(days=1, seconds=1)
    server.run(limiter.take(*[use] * 20))
    server.run(limiter.give_back(*[use] * 20, taken_at=taken_at))
    with pytest.raises(TooManyRequests):
        server.run(limiter.take(use))


def test_a_budget_begins_anew_after_a_day(server):
    server.run(server.services.limiter.take(*[("sms_budget +33", "all")] * 20))
    server.later(hours=23)
    assert asking(server)(f"{FRENCH}01").status_code == 429
    server.later(hours=1)
    assert asking(server)(f"{FRENCH}01").status_code == 200


def test_the_longest_prefix_counts_alone_and_one_without_a_limit_counts_in_the_total(ask):
    assert statuses(map(ask, numbers(BRITISH, 11))) == [200] * 10 + [429]
    # The budget of France is another one. That of Switzerland has no limit.
    assert statuses(map(ask, numbers(FRENCH, 20))) == [200] * 20
    assert statuses(map(ask, numbers(SWISS, 11))) == [200] * 10 + [429]


def test_one_at_a_limit_of_their_own_uses_up_no_budget_and_one_over_a_budget_no_limit(server, ask):
    number = f"{FRENCH}01"
    assert statuses(map(ask, [number] * 4)) == [200, 429, 429, 429]
    budgets = {budget.name: budget.used for budget in server.run(server.services.limiter.sms_budgets())}
    assert budgets == {"total": 1, "+33": 1, "+": 0}
    assert statuses(map(ask, numbers(FRENCH, 21)[2:])) == [200] * 19
    assert statuses(map(ask, [f"{FRENCH}50"] * 2)) == [429, 429]
    server.run(server.store.limits.forget("sms_budget +33", "all"))
    assert ask(f"{FRENCH}50").status_code == 200


def test_an_sms_that_is_not_sent_uses_up_no_budget(server, ask, monkeypatch):
    async def failing(_message):
        raise DeliveryFailed(backend="sms.outbox", reason="down")

    with monkeypatch.context() as broken:
        broken.setattr(server.parts.notifier, "sms", failing)
        assert statuses(map(ask, numbers(FRENCH, 5))) == [503] * 5
    assert [(budget.name, budget.used) for budget in server.run(server.services.limiter.sms_budgets())] == [
        ("total", 0),
        ("+33", 0),
        ("+", 0),
    ]
    assert statuses(map(ask, numbers(FRENCH, 20))) == [200] * 20


class TestNumbersThatGetNone:
    """`+590690...` is allowed within `+590`, which is denied; `+49` is not among those allowed."""

    REFUSED = (f"{OVERSEAS.replace('690', '590')}45", "+4917123456789", "+447911123456")

    @pytest.fixture
    def texted(self, server):
        """Nothing is sent or counted by the end."""
        before = len(server.messages)
        yield
        assert len(server.messages) == before
        assert all(budget.used == 0 for budget in server.run(server.services.limiter.sms_budgets()))

    def errors_of(self, answer):
        assert answer.status_code == 422, answer.text
        return answer.json()["errors"]

    def test_the_longest_prefix_decides(self, ask):
        assert ask(f"{OVERSEAS}45").status_code == 200
        assert ask(f"{BRITISH}45").status_code == 200
        for number in self.REFUSED:
            assert self.errors_of(ask(number)) == {"phone": ["phone is a number that this service sends no codes to"]}

    def test_a_change_of_number_is_refused_before_it_is_begun(self, server, http, texted):
        person = server.person()
        self.errors_of(http.post(REQUEST, json={"phone": self.REFUSED[0]}, headers=person.headers))
        assert server.account(person.id).phone_change is None

    @pytest.mark.parametrize("field", ["phone", "username"])
    def test_a_sign_up_is_refused_and_its_token_stays_usable(self, server, http, texted, field):
        token = server.creation_token()
        body = {
            field: self.REFUSED[1],
            "password": "correct-horse-battery",
            "algorithm": "SHA-256",
            "account_creation_token": token,
        }
        if field == "username":
            body["phone"] = self.REFUSED[1]
        expected = "phone is a number that this service sends no codes to"
        assert self.errors_of(http.post("/api/accounts/public", json=body)) == {"phone": [expected]}
        assert server.run(server.services.codes.creation_tokens.is_free(token))

    def test_a_number_that_is_the_name_is_refused_though_there_is_an_address(self, server, http, texted):
        body = {
            "username": self.REFUSED[1],
            "email": "named@example.org",
            "password": "correct-horse-battery",
            "algorithm": "SHA-256",
            "account_creation_token": server.creation_token(),
        }
        assert list(self.errors_of(http.post("/api/accounts/public", json=body))) == ["username"]

    def test_a_sign_up_with_a_mailed_code_may_claim_any_number(self, server, http):
        body = {
            "username": "with.mail",
            "email": "with.mail@example.org",
            "phone": self.REFUSED[1],
            "password": "correct-horse-battery",
            "algorithm": "SHA-256",
            "account_creation_token": server.creation_token(),
        }
        assert http.post("/api/accounts/public", json=body).status_code == 200

    @pytest.mark.parametrize("spelling", ["+4917123456789", "+49017123456789"])
    def test_a_recovery_is_refused_however_the_number_is_spelt_and_its_token_stays_usable(
        self, server, http, texted, spelling
    ):
        token = server.creation_token()
        body = {"phone": spelling, "account_creation_token": token}
        assert list(self.errors_of(http.post("/api/accounts/recover-by-phone", json=body))) == ["phone"]
        assert server.run(server.services.codes.creation_tokens.is_free(token))

    @pytest.mark.parametrize("by", ["me", "id"])
    def test_a_code_is_not_sent_again(self, server, http, texted, by):
        admin = server.person(admin_since=server.clock.second())
        number = self.REFUSED[2] if by == "me" else self.REFUSED[1]
        waiting = server.person(activated=False, claimed_phone=number, unconfirmed=True)
        place, headers = ("me", waiting.headers) if by == "me" else (waiting.id, admin.headers)
        assert list(self.errors_of(http.post(f"/api/accounts/{place}/resend", headers=headers))) == ["phone"]
        assert server.account(waiting.id).confirmation is None


class TestOperators:
    def test_support_reads_why_no_code_comes(self, server):
        denied, late = server.person(phone="+447911999999").account, server.person(phone=f"{FRENCH}77").account
        server.run(server.services.limiter.take(*[("sms_budget +33", "all")] * 20))

        def why(account):
            return [one.reason for one in server.run(server.services.accounts.diagnosis.of(account))]

        assert "The settings let no codes be sent to numbers such as +447911999999." in why(denied)
        assert "The budget of SMS (+33) is used up: 20 of 20 a day." in why(late)
        assert not [reason for reason in why(denied) if "budget" in reason]

    def told(self, server, parts=None):
        server.run(OperatorNotices(parts or server.parts).look())
        return [message["text"] for message in server.messages if message.get("to") == "operator@example.net"]

    def test_operators_are_told_once_a_day_when_four_fifths_are_used(self, server, ask):
        before = len(self.told(server))
        assert statuses(map(ask, numbers(FRENCH, 15))) == [200] * 15
        assert len(self.told(server)) == before
        assert ask(f"{FRENCH}50").status_code == 200
        news = self.told(server)[before:]
        assert len(news) == 1
        assert "16 of 20 SMS a day to numbers that begin with +33 are used." in news[0]
        # Neither another process tells of it nor the next look.
        assert ask(f"{FRENCH}51").status_code == 200
        assert len(self.told(server)) == before + 1

    def test_the_metrics_say_what_is_used(self, server, ask):
        assert statuses(map(ask, numbers(FRENCH, 3))) == [200] * 3
        server.run(BudgetFigures(server.services.limiter).measure())
        used = [
            REGISTRY.get_sample_value("flexiapi_sms_budget_used", {"budget": name}) for name in ("total", "+33", "+")
        ]
        assert used == [3, 3, 0]
        assert REGISTRY.get_sample_value("flexiapi_sms_budget", {"budget": "total"}) == 40
