import asyncio
import base64
from email.utils import parsedate_to_datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from flexiapi.plugin import MailMessage, Permanent, RecipientRefused, Retryable
from flexiapi.testing import GARBAGE, RESET, BackendContract, SmtpGateway, reply, run_backend
from flexiapi_mail_smtp import SmtpMail

# A connection that is dropped in the middle of STARTTLS leaves its old transport to the garbage collector; the library
# offers no hand on it, and under load that may come after the loop has ended.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

MESSAGE = MailMessage("alice@example.org", "Bienvenue à tous", "Votre code : 471100\n", "<p>471100</p>\n")


class SmtpContract(BackendContract):
    group, name = "flexiapi.mail", "smtp"
    busy = reply(451, body="4.7.1 greylisted: alice@example.org")
    refused = reply(550, body="5.1.1 <alice@example.org>: no such user")

    def gateway(self):
        return SmtpGateway()

    def settings(self, gateway):
        return {"host": gateway.host, "port": gateway.port, "encryption": "none", "from_address": "server@example.org"}


class TestClear(SmtpContract):
    pass


class TestRefusedAfterData(SmtpContract):
    busy = reply(452, body="4.3.1 disk full")
    refused = reply(554, body="5.7.1 looks like spam")

    def gateway(self):
        return SmtpGateway(stage="DATA")


class EncryptedContract(SmtpContract):
    encryption = "starttls"

    def gateway(self):
        return SmtpGateway(encryption=self.encryption, user="flexiapi", password="s3cret")

    def settings(self, gateway):
        return {
            **super().settings(gateway),
            "encryption": self.encryption,
            "ca_file": gateway.ca_file,
            "username": "flexiapi",
            "password": "s3cret",
        }

    def test_signs_in_over_tls(self):
        with self.gateway() as gateway:
            self.send(gateway)
        assert (gateway.sends[0].user, gateway.sends[0].encrypted) == ("flexiapi", True)

    def test_wrong_password(self):
        with self.gateway() as gateway, pytest.raises(Permanent, match="refuses username and password: answer 535"):
            send(self.config(gateway, password="wrong"))
        assert not gateway.sends

    def test_certificate_that_is_not_trusted(self):
        with self.gateway() as gateway:
            with pytest.raises(Retryable, match=r"certificate is not trusted .*look at host and ca_file"):
                send(self.config(gateway, ca_file=None))
            assert not gateway.sends
            send(self.config(gateway, ca_file=None, verify_peer=False))


class TestStarttls(EncryptedContract):
    pass


class TestTls(EncryptedContract):
    encryption = "tls"


def config(gateway, **more):
    settings = {"host": gateway.host, "port": gateway.port, "encryption": "none", "from_address": "server@example.org"}
    # A machine that stands still must not look like a connection that does.
    patient = {"probe_seconds": 60, "idle_seconds": 600}
    return SmtpMail.Config.model_validate({**settings, **patient, **more})


def send(config, *messages):
    async def each(backend):
        return [await backend.send(message) for message in messages or (MESSAGE,)]

    return run_backend(SmtpMail(config), each)


def test_text_and_html_with_sender_and_subject():
    with SmtpGateway() as gateway:
        [receipt] = send(config(gateway, from_name="Société Générale"))
    mail = gateway.sends[0].message
    assert (mail["From"], mail["To"]) == ("Société Générale <server@example.org>", "alice@example.org")
    assert (mail["Subject"], mail["Message-ID"]) == (MESSAGE.subject, receipt.id)
    assert mail.get_body(["plain"]).get_content().splitlines() == MESSAGE.text.splitlines()
    assert mail.get_body(["html"]).get_content().splitlines() == MESSAGE.html.splitlines()
    assert gateway.sends[0].content.isascii()


def test_a_message_may_have_a_sender_of_its_own():
    with SmtpGateway() as gateway:
        send(config(gateway), MailMessage("bob@example.com", "Hello", "text", None, "hello@b.example.org", "Bee"))
    assert gateway.sends[0].message["From"] == "Bee <hello@b.example.org>"


def test_answers_and_bounces_go_where_the_settings_say_and_the_message_has_the_last_word():
    own = {"reply_to": "help@example.org", "bounce_address": "bounces@example.org"}
    mail = MailMessage("bob@example.com", "Hello", "text", reply_to="help@b.example", bounce_address="back@b.example")
    with SmtpGateway() as gateway:
        send(config(gateway), MESSAGE)
        send(config(gateway, **own), MESSAGE, mail)
    seen = [(one.message["From"], one.message["Reply-To"], one.sender) for one in gateway.sends]
    assert seen == [
        ("server@example.org", None, "server@example.org"),
        ("server@example.org", "help@example.org", "bounces@example.org"),
        ("server@example.org", "help@b.example", "back@b.example"),
    ]


def test_a_mail_says_when_it_is_worthless():
    with SmtpGateway() as gateway:
        send(config(gateway), MailMessage("bob@example.com", "Hello", "text", time_to_live=600), MESSAGE)
    first, second = (one.message for one in gateway.sends)
    life = parsedate_to_datetime(first["Expires"]) - first["Date"].datetime
    assert life.total_seconds() == pytest.approx(600, abs=30)
    assert second["Expires"] is None


def test_one_connection_for_many_mails_also_after_a_refusal():
    async def some(backend):
        await backend.send(MESSAGE)
        gateway.answer(reply(550), reply(250))
        with pytest.raises(RecipientRefused):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    with SmtpGateway() as gateway:
        run_backend(SmtpMail(config(gateway)), some)
    assert (len(gateway.sends), gateway.connections) == (3, 1)


def test_no_more_connections_than_set():
    async def many(backend):
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(10)))
        assert backend.concurrency == 2

    with SmtpGateway() as gateway:
        run_backend(SmtpMail(config(gateway, connections=2)), many)
    assert (len(gateway.sends), gateway.connections) == (10, 2)


@pytest.mark.parametrize("fault", [GARBAGE, RESET])
def test_broken_connection_is_retryable_and_not_used_again(fault):
    async def two(backend):
        gateway.answer(fault, reply(250))
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    with SmtpGateway() as gateway:
        run_backend(SmtpMail(config(gateway)), two)
        assert gateway.connections == 2


def test_a_server_that_is_not_there_is_named():
    with SmtpGateway() as gateway:
        settings = config(gateway)
        gateway.stop()
        with pytest.raises(Retryable, match=rf"^127\.0\.0\.1:{gateway.port} cannot be reached, or broke off \("):
            send(settings)


def test_server_without_starttls_gets_nothing():
    with SmtpGateway() as gateway, pytest.raises(Permanent, match="look at encryption"):
        send(config(gateway, encryption="starttls"))
    assert not gateway.sends


@pytest.mark.parametrize(
    "message",
    [
        MailMessage("alice@example.org\r\nBcc: eve@example.org", "Hello", "text"),
        MailMessage("alice@example.org> <eve@example.org", "Hello", "text"),
        MailMessage("alice", "Hello", "text"),
        MailMessage("", "Hello", "text"),
        MailMessage("alice@example.org", "Hello\r\nBcc: eve@example.org", "text"),
    ],
)
def test_header_injection_is_refused(message):
    with SmtpGateway() as gateway, pytest.raises(Permanent, match="the mail address or the subject is not valid"):
        send(config(gateway), message)
    assert not gateway.sends


def test_address_beyond_ascii_goes_as_smtputf8():
    with SmtpGateway() as gateway:
        send(config(gateway), MailMessage("rené@bücher.example", "Hello", "text"))
    assert gateway.sends[0].recipient == "rené@xn--bcher-kva.example"
    assert gateway.sends[0].message["To"] == "rené@xn--bcher-kva.example"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(params=[PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8], ids=["PKCS1", "PKCS8"])
def key_file(key, tmp_path, request):
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, request.param, NoEncryption()))
    return path


def test_dkim_signature_is_verified(key, key_file):
    with SmtpGateway() as gateway:
        send(config(gateway, dkim_selector="flexiapi", dkim_key_file=key_file))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    asked = []

    def dns(name, timeout=5):
        asked.append(name)
        return record

    assert dkim.verify(gateway.sends[0].content, dnsfunc=dns)
    assert asked == [b"flexiapi._domainkey.example.org."]
    assert not dkim.verify(gateway.sends[0].content.replace(b"471100", b"471101"), dnsfunc=dns)


def test_dkim_settings_that_cannot_work(tmp_path):
    (tmp_path / "no key").write_text("no key")
    with SmtpGateway() as gateway:
        with pytest.raises(ValueError, match="both dkim_selector and dkim_key_file"):
            send(config(gateway, dkim_selector="flexiapi"))
        with pytest.raises(ValueError, match="no RSA private key"):
            send(config(gateway, dkim_selector="flexiapi", dkim_key_file=tmp_path / "no key"))


def test_check_signs_in_and_sends_nothing():
    def check(password):
        settings = config(gateway, username="flexiapi", password=password)
        run_backend(SmtpMail(settings), lambda backend: backend.check())

    with SmtpGateway(user="flexiapi", password="s3cret") as gateway:
        check("s3cret")
        with pytest.raises(Permanent, match="username and password"):
            check("wrong")
    assert not gateway.sends


def test_tries_of_one_mail_have_one_message_id_and_say_the_language():
    mail = MailMessage("bob@example.com", "Hello", "text", language="fr")
    with SmtpGateway() as gateway:
        send(config(gateway), mail, mail, MailMessage("bob@example.com", "Hello", "text"))
    first, second, other = (received.message for received in gateway.sends)
    assert first["Message-ID"] == second["Message-ID"] != other["Message-ID"]
    assert (first["Content-Language"], other["Content-Language"]) == ("fr", None)
