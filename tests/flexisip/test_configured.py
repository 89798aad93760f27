from flexiapi.flexisip.cli_socket import CliRegistrar, CliSocket
from flexiapi.flexisip.configured import cli_socket_of, message_sender_of, registrar_of
from flexiapi.flexisip.linphone_daemon import LinphoneDaemon
from flexiapi.flexisip.redis import RedisRegistrar
from flexiapi.flexisip.sip_message import SipMessageSender
from flexiapi.settings import Settings


def kind(made):
    return None if made is None else type(made)


def test_the_settings_choose_the_registrar():
    cli = {"cli_socket": "/tmp/flexisip-proxy-*"}
    assert registrar_of(Settings()) is None
    assert kind(registrar_of(Settings(flexisip=cli))) is CliRegistrar
    for redis in (
        {"host": "h"},
        {"url": "redis://h"},
        {"client": "sentinel", "sentinel_host": "a,b:26380,[::1]:26381"},
    ):
        assert kind(registrar_of(Settings(redis=redis, flexisip=cli))) is RedisRegistrar


def test_the_settings_choose_the_message_sender():
    daemon = {"linphone_daemon_unix_path": "/tmp/daemon"}
    assert message_sender_of(Settings()) is None
    assert kind(message_sender_of(Settings(app=daemon))) is LinphoneDaemon
    ours = {"proxy": "sip:proxy.example.org;transport=tcp", "sender": "sip:api@sip.example.org"}
    assert kind(message_sender_of(Settings(app=daemon, flexisip=ours))) is SipMessageSender


def test_the_command_line_socket_is_there_when_configured():
    assert cli_socket_of(Settings().flexisip) is None
    assert kind(cli_socket_of(Settings(flexisip={"cli_socket": "/tmp/s"}).flexisip)) is CliSocket
