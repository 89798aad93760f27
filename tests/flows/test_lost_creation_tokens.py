"""Creation tokens that were spent by a creation which a crash or an outage of the database ended."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

PASSWORD = "correct-horse-battery"


def created(http, token, username=None):
    body = {"username": username or f"user.{secrets.token_hex(4)}", "password": PASSWORD, "algorithm": "SHA-256"}
    return http.post("/api/accounts/with-account-creation-token", json=body | {"account_creation_token": token})


@pytest.fixture
def lost(server):
    """A token as a crash leaves it between its use and the insertion of the account."""
    token = server.creation_token()
    tokens = server.store.creation_tokens
    assert server.run(tokens.consume(token, server.clock.now(), server.actor, creates=True))
    return token


def test_a_token_whose_account_never_came_to_stand_is_given_back_to_the_next_try(server, http, lost):
    assert created(http, lost).status_code == 422  # its account may still come
    server.later(minutes=10)
    assert created(http, lost).status_code == 200
    assert created(http, lost).status_code == 422
    server.later(minutes=10)
    assert created(http, lost).status_code == 422


def test_a_lost_token_is_taken_back_by_one_of_many_at_once(server, http, lost):
    server.later(minutes=10)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: created(http, lost), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200, *[422] * 49]


def test_a_token_that_recovered_an_account_is_never_given_back(server, http):
    token = server.creation_token()
    assert server.run(server.store.creation_tokens.consume(token, server.clock.now(), server.actor))
    server.later(minutes=10)
    assert created(http, token).status_code == 422


def test_the_token_of_a_deleted_account_is_not_given_back(server, http, admin):
    token = server.creation_token()
    account = created(http, token).json()
    assert http.delete(f"/api/accounts/{account['id']}", headers=admin.headers).status_code == 200
    server.later(minutes=10)
    assert created(http, token).status_code == 422
