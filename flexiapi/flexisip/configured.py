"""Choice of the registrar and of the message sender by the settings."""

from flexiapi.flexisip.cli_socket import CliRegistrar, CliSocket
from flexiapi.flexisip.linphone_daemon import LinphoneDaemon
from flexiapi.flexisip.message_sender import MessageSender
from flexiapi.flexisip.redis import RedisRegistrar, by_sentinel
from flexiapi.flexisip.registrar import Registrar
from flexiapi.flexisip.sip_message import SipMessageSender
from flexiapi.settings import FlexisipSettings, Settings


def registrar_of(settings: Settings) -> Registrar | None:
    """Return the registrar in Redis if it is configured, else the one behind the command line socket, else `None`.

    Redis comes first because only there a deletion can be published; the socket's own deletion is silent.
    """
    redis = settings.redis
    if redis.url or redis.host or by_sentinel(redis):
        return RedisRegistrar(redis)
    cli = cli_socket_of(settings.flexisip)
    return CliRegistrar(cli) if cli else None


def cli_socket_of(section: FlexisipSettings) -> CliSocket | None:
    """Return Flexisip's command line socket, or `None` if it is not configured."""
    return CliSocket(section.cli_socket) if section.cli_socket else None


def message_sender_of(settings: Settings) -> MessageSender | None:
    """Return a SIP client if a proxy is configured, else the linphone-daemon, else `None`."""
    if settings.flexisip.proxy:
        return SipMessageSender(settings.flexisip)
    path = settings.app.linphone_daemon_unix_path
    return LinphoneDaemon(path) if path else None
