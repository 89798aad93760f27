"""Sessions of the panel: begun, resumed, ended (design.md 7; ASVS 7.2 to 7.4)."""

from datetime import timedelta

import pytest

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import SessionRequired
from flexiapi.model import Actor, ActorKind, Algorithm, SignInMethod
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

B = "b.example.org"
server = shared_by_module({"panel": {"session_days": 3}, "spaces": {B: {}}})


@pytest.fixture
def alice(server):
    return server.person()


@pytest.fixture
def sessions(server):
    return server.services.sign_in.sessions


@pytest.fixture
def begin(server, sessions):
    def begun(person, method=SignInMethod.PASSWORD, **options):
        actor = Actor(ActorKind.ANONYMOUS, address="192.0.2.7", user_agent="Mozilla/5.0 (X11)" * 30)
        return server.run(sessions.begin(server.account(person.id), actor, method, **options))

    return begun


@pytest.fixture
def resume(server, sessions):
    def resumed(begun, domain="sip.example.org"):
        space = server.store.spaces.of_domain(domain)
        return server.run(sessions.resume(begun.token, "192.0.2.8", space))

    return resumed


def assert_over(resume, *begun):
    for one in begun:
        with pytest.raises(SessionRequired):
            resume(one)


def test_a_session_is_found_by_its_secret_alone(server, alice, begin, resume):
    begun = begin(alice)
    identity = resume(begun)
    assert (identity.account.id, identity.label, identity.is_active_admin) == (alice.id, str(alice.id), False)
    assert identity.session.id_hash == token_hash(begun.token)
    assert (identity.session.ip, len(identity.session.user_agent)) == ("192.0.2.7", 256)
    assert len(begun.token) >= 43
    assert begin(alice).token != begun.token
    for wrong in (begun.token[:-1], begun.token + "A", "", "é" * 43, identity.session.id_hash.hex()):
        with pytest.raises(SessionRequired):
            server.run(server.services.sign_in.sessions.resume(wrong, "192.0.2.8", server.store.spaces.default))


def test_the_secret_is_not_stored(server, alice, begin):
    begun = begin(alice)

    async def stored():
        return await server.store._database["sessions"].find({"account_id": alice.id}).to_list(None)

    assert begun.token not in repr(server.run(stored()))


def test_an_idle_session_ends_and_one_in_use_does_not(server, alice, begin, resume):
    used, idle = begin(alice), begin(alice)
    for _ in range(3):
        server.later(minutes=100)
        resume(used)
    assert_over(resume, idle)
    assert resume(used).session.ip == "192.0.2.8"
    server.later(minutes=121)
    assert_over(resume, used)


def test_a_session_ends_after_twelve_hours_however_it_is_used(server, alice, begin, resume):
    begun = begin(alice)
    assert begun.max_age is None
    for _ in range(7):
        server.later(minutes=100)
        resume(begun)
    server.later(minutes=21)
    assert_over(resume, begun)


def test_one_that_stays_lasts_its_days_without_use(server, alice, begin, resume):
    begun = begin(alice, stays=True)
    assert timedelta(days=3, minutes=-1) < timedelta(seconds=begun.max_age) <= timedelta(days=3)
    server.later(days=2, hours=23)
    assert resume(begun).session.stays
    server.later(hours=2)
    assert_over(resume, begun)


def test_a_use_is_written_once_a_minute(server, alice, begin, resume):
    begun = begin(alice)
    first = resume(begun).session.seen_at
    assert resume(begun).session.seen_at == first
    server.later(seconds=61)
    resume(begun)
    assert resume(begun).session.seen_at > first


class TestWhatEndsAllSessions:
    """The session of a browser does not outlive what it was begun with."""

    def test_a_change_of_the_password(self, server, alice, begin, resume):
        begun = begin(alice)
        account = server.account(alice.id)
        password = server.services.sign_in.passwords.stored(
            account.username, account.domain, Algorithm.SHA_256, "another-password"
        )
        server.apply(account.with_password(password, server.clock.second(), keeps_key=True))
        assert_over(resume, begun)
        assert server.run(server.services.sign_in.sessions.of(server.account(alice.id))) == []

    def test_a_deactivation_and_an_activation_does_not_bring_it_back(self, server, alice, begin, resume):
        begun = begin(alice)
        administration = server.services.accounts.administration
        server.run(administration.deactivate(alice.id, server.actor))
        assert_over(resume, begun)
        server.run(administration.activate(alice.id, server.actor))
        assert_over(resume, begun)

    def test_a_block_and_its_end_does_not_bring_it_back(self, server, alice, begin, resume):
        begun = begin(alice)
        administration = server.services.accounts.administration
        server.run(administration.block(alice.id, server.actor))
        assert_over(resume, begun)
        server.run(administration.unblock(alice.id, server.actor))
        assert_over(resume, begun)

    def test_a_removal(self, server, alice, begin, resume):
        begun = begin(alice)
        server.run(server.services.accounts.removal.remove(server.account(alice.id), server.actor))
        assert_over(resume, begun)

        async def left():
            return await server.store._database["sessions"].count_documents({"account_id": alice.id})

        assert server.run(left()) == 0


@pytest.mark.parametrize("ending", ["deactivate", "block", "remove", "password"])
def test_a_session_does_not_begin_for_an_account_that_changed_since_it_was_read(server, alice, sessions, ending):
    account = server.account(alice.id)
    accounts = server.services.accounts
    if ending == "remove":
        server.run(accounts.removal.remove(account, server.actor))
    elif ending == "password":
        stored = server.services.sign_in.passwords.stored(account.username, account.domain, Algorithm.MD5, "other")
        server.apply(account.with_password(stored, server.clock.second(), keeps_key=True))
    else:
        server.run(getattr(accounts.administration, ending)(alice.id, server.actor))
    with pytest.raises(SessionRequired):
        server.run(sessions.begin(account, server.actor, SignInMethod.PASSWORD))

    async def left():
        return await server.store._database["sessions"].count_documents({"account_id": alice.id})

    assert server.run(left()) == 0


def test_one_session_or_all_others_can_be_ended_by_their_owner_alone(server, alice, sessions, begin, resume):
    mine, second, third, fourth = (begin(alice) for _ in range(4))
    other = server.person()
    theirs = begin(other)
    session = resume(mine).session
    assert not server.run(sessions.end_by_hash(alice.account, resume(theirs).session.id_hash))
    assert server.run(sessions.end_by_hash(alice.account, resume(second).session.id_hash))
    assert_over(resume, second)
    assert server.run(sessions.end_others(session)) == 2
    assert_over(resume, third, fourth)
    server.run(sessions.end(session))
    assert_over(resume, mine)
    assert resume(theirs).account.id == other.id


def test_a_renewed_session_has_another_secret_and_its_old_rights(server, alice, sessions, begin, resume):
    begun, other = begin(alice, stays=True), begin(alice)
    before = resume(begun).session
    account = server.account(alice.id)
    stored = server.services.sign_in.passwords.stored(
        account.username, account.domain, Algorithm.SHA_256, "another-one"
    )
    changed = server.apply(account.with_password(stored, server.clock.second(), keeps_key=True))
    renewed = server.run(sessions.renew(before, changed, server.actor))
    after = resume(renewed).session
    assert after.id_hash != before.id_hash
    assert (after.expires_at, after.method, after.stays) == (before.expires_at, before.method, True)
    assert after.confirmed_at == before.confirmed_at
    assert_over(resume, begun, other)
    assert [one.id_hash for one in server.run(sessions.of(changed))] == [after.id_hash]


def test_a_session_is_of_the_service_of_its_account(server, alice, begin, resume):
    begun = begin(alice)
    with pytest.raises(SessionRequired):
        resume(begun, B)
    theirs = begin(server.person(domain=B))
    assert_over(resume, theirs)
    assert resume(theirs, B).account.domain == B


def test_a_proof_is_fresh_for_its_time_and_a_link_is_none(server, alice, sessions, begin, resume):
    for method, is_proof in (
        (SignInMethod.PASSWORD, True),
        (SignInMethod.CODE, True),
        (SignInMethod.QR, False),
        (SignInMethod.INVITE, False),
    ):
        begun = begin(alice, method)
        identity = resume(begun)
        age = timedelta(minutes=10)
        assert identity.confirmed_within(age, server.clock.now()) is is_proof
        server.later(minutes=11)
        assert not identity.confirmed_within(age, server.clock.now())
        server.run(sessions.confirm(identity.session))
        assert resume(begun).confirmed_within(age, server.clock.now())


def test_a_limited_session_ends_with_the_activation(server, begin, resume):
    new = server.person(activated=False)
    begun = begin(new, SignInMethod.CODE, is_limited=True)
    assert resume(begun).session.is_limited
    server.run(server.services.accounts.administration.activate(new.id, server.actor))
    assert_over(resume, begun)


def test_an_account_has_fifty_sessions_at_most_and_the_oldest_makes_room(server, alice, sessions, begin, resume):
    first, second = begin(alice), begin(alice)
    server.later(seconds=61)
    resume(first)
    for _ in range(49):
        begin(alice)
    assert_over(resume, second)
    assert resume(first).account.id == alice.id
    assert len(server.run(sessions.of(alice.account))) == 50
