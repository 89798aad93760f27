import base64
import smtplib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from flexiapi.testing import reply
from flexiapi.testing.profiles import MailServer, TokenEndpoint

SENDER, ALICE = "server@example.org", "alice@example.org"


def mail(number):
    return f"Message-ID: <{number}@example.org>\r\nSubject: Hello\r\n\r\n471100\r\n"


@contextmanager
def client_of(server, seconds=30):
    with smtplib.SMTP(server.host, server.port, timeout=seconds) as client:
        yield client


def refusal_of(client, recipient, number=1):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        client.sendmail(SENDER, recipient, mail(number))
    code, text = caught.value.recipients[recipient]
    return f"{code} {text.decode().split()[0]}"


def test_a_mailbox_has_a_mail_once_however_often_it_comes():
    with MailServer() as server, client_of(server) as client:
        for number in (1, 2, 1):
            client.sendmail(SENDER, ALICE, mail(number))
        client.sendmail(SENDER, "bob@example.org", mail(1))
        assert [one.message["Message-ID"] for one in server.delivered[ALICE]] == ["<1@example.org>", "<2@example.org>"]
        assert (len(server.delivered["bob@example.org"]), server.repeats, len(server.sends)) == (1, 1, 4)


def test_a_mail_may_be_taken_without_an_answer():
    with MailServer() as server:
        server.loses_answers = 1
        with pytest.raises(smtplib.SMTPServerDisconnected), client_of(server) as client:
            client.sendmail(SENDER, ALICE, mail(1))
        with client_of(server) as client:
            client.sendmail(SENDER, ALICE, mail(1))
        assert (len(server.delivered[ALICE]), server.repeats) == (1, 1)


def test_recipients_are_dead_full_or_greylisted_one_by_one():
    with MailServer(greylists=True) as server, client_of(server) as client:
        server.dead.add("dead@example.org")
        server.full.add("full@example.org")
        assert refusal_of(client, "dead@example.org") == "550 5.1.1"
        assert refusal_of(client, "full@example.org") == "452 4.2.2"
        assert refusal_of(client, ALICE) == "450 4.7.1"
        client.sendmail(SENDER, ALICE, mail(1))
        assert list(server.delivered) == [ALICE]


def test_connections_beyond_the_limit_are_turned_away():
    with MailServer(connection_limit=1) as server, client_of(server) as client:
        with pytest.raises(smtplib.SMTPConnectError) as caught, client_of(server):
            pass
        assert caught.value.smtp_code == 421
        client.noop()
    assert (server.connections, server.most_connections) == (2, 2)


def test_a_forgotten_connection_is_silent_and_others_are_not():
    with MailServer(encryption="none") as server:
        with client_of(server) as client:
            client.sendmail(SENDER, ALICE, mail(1))
            server.forget_connections()
            client.sock.settimeout(0.2)
            with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
                client.noop()
        with client_of(server) as client:
            server.forgets_after = 0
            client.sock.settimeout(0.2)
            with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
                client.noop()


def test_idle_connections_are_closed():
    with MailServer(closes_after=0.05) as server, client_of(server) as client:
        assert client.sock.recv(100) == b""


def test_a_stalled_server_takes_nothing():
    with MailServer() as server:
        with client_of(server) as client:
            client.ehlo()
            server.stall(60)
            client.sock.settimeout(0.2)
            with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
                client.sendmail(SENDER, ALICE, mail(1))
        server.stall(0)
        assert not server.delivered
        with client_of(server) as client:
            client.sendmail(SENDER, ALICE, mail(1))
        assert len(server.delivered[ALICE]) == 1


def sign_in(client, token, user="flexiapi"):
    given = base64.b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode()).decode()
    client.ehlo()
    return client.docmd("AUTH", f"XOAUTH2 {given}")


def test_only_valid_tokens_sign_in():
    with TokenEndpoint() as endpoint, MailServer(access_tokens=endpoint) as server, client_of(server) as client:
        assert client.docmd("EHLO", "a.example.org")[1].splitlines().count(b"AUTH XOAUTH2") == 1
        assert client.docmd("MAIL", f"FROM:<{SENDER}>")[0] == 530
        code, challenge = sign_in(client, "wrong")
        assert (code, b"401" in base64.b64decode(challenge)) == (334, True)
        assert client.docmd("")[0] == 535
        asked = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "s3cret"}
        token = httpx.post(endpoint.token_url, data=asked).json()["access_token"]
        assert sign_in(client, token)[0] == 235
        client.sendmail(SENDER, ALICE, mail(1))
        assert server.delivered[ALICE][0].user == "flexiapi"


def test_tokens_are_for_those_who_have_the_secret():
    with TokenEndpoint(refresh_token="old", rotates=True) as endpoint:
        right = {"grant_type": "refresh_token", "client_id": "client", "client_secret": "s3cret"}

        def asked(**given):
            answer = httpx.post(endpoint.token_url, data={**right, **given})
            return answer.json().get("error", answer.status_code)

        assert asked(client_secret="wrong", refresh_token="old") == "invalid_client"
        assert asked(refresh_token="wrong") == "invalid_grant"
        assert asked(refresh_token="old") == 200
        assert asked(refresh_token="old") == "invalid_grant"
        assert asked(refresh_token=endpoint.refresh_token) == 200
        assert len(endpoint.issued) == 2
        endpoint.revoke()
        assert endpoint.issued[0] not in endpoint
        endpoint.fail(reply(503))
        assert httpx.post(endpoint.token_url, data=right).status_code == 503
        endpoint.recover()
        assert asked(refresh_token=endpoint.refresh_token) == 200


def test_a_thousand_mails_at_once():
    with MailServer() as server:
        server.dead = {f"user{number}@example.org" for number in range(0, 1000, 10)}

        def send(first):
            with client_of(server) as client:
                for number in range(first, 1000, 10):
                    address = f"user{number}@example.org"
                    if address in server.dead:
                        refusal_of(client, address)
                    else:
                        client.sendmail(SENDER, address, mail(number))

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(send, range(10)))
        assert {len(mails) for mails in server.delivered.values()} == {1}
        assert len(server.delivered) == 900
        assert server.most_connections <= 10
