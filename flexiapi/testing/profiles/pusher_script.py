"""A stand-in for flexisip_pusher 2.3 to 2.7, which `PusherProgram` copies. Its state is in its folder."""

import json
import os
import resource
import sys
import time
from pathlib import Path

_FOLDER = Path(sys.argv[0]).parent
_WITH_VALUE = (
    *("--prefix", "--pn-provider", "--pn-param", "--pn-prid"),
    *("--key", "--customPayload", "--apple-push-type", "--call-id"),
)
_LOG = "flexisip-pusher.log"
_APPLE_TOKEN = 64
_GONE = {"fcm": (404, '{"error": {"code": 404, "details": [{"errorCode": "UNREGISTERED"}]}}')}


def main() -> int:
    """Send one notification, and return how many failed."""
    asked = parsed(sys.argv[1:])
    state = json.loads((_FOLDER / "state").read_text())
    record("run", argv=sys.argv[1:], environ=dict(os.environ), began=time.monotonic())
    if state["status"] is not None:
        return int(state["status"])
    say(asked, f"sending request: {asked['--customPayload']}", debug=True)
    provider, prid = asked["--pn-provider"], asked["--pn-prid"]
    if provider == "fcm" and not asked["--key"]:
        say(asked, "Missing Firebase API key or service account file. Use '--key'")
        return 2
    if state["apps"] is not None and asked["--pn-param"] not in state["apps"]:
        throw("flexisip::pushnotification::UnavailablePushNotificationClient", "no push notification client available")
    if provider != "fcm" and len(prid) != _APPLE_TOKEN:
        throw("flexisip::pushnotification::InvalidPushParameters", "invalid device token for ApplePushNotification")
    status, body, delay, is_reached = state["answer"]
    time.sleep(max(delay, state["silent_until"] - time.time()))
    if not is_reached:
        say(asked, f"TlsConnection[0x1] - Error while connecting to tls://{provider}:443: -1 - Connection refused")
        return summed_up(asked, failed=1)
    if prid in state["dead"]:
        status, body = _GONE.get(provider, (410, '{"reason": "Unregistered", "timestamp": 1796030195000}'))
    dump = f"HttpMessage header : \n:status = {status}\n\n    HttpMessage body : \n{body}"
    say(asked, f"response received for HttpRequest[0x1]:\nHttpMessage : \n    {dump}", debug=True)
    if status == 200:  # noqa: PLR2004 - of HTTP
        record("sent", prid=prid)
    return summed_up(asked, failed=int(status != 200))  # noqa: PLR2004 - as above


def parsed(arguments: list[str]) -> dict[str, str]:
    """Return the options, or end as the program does for arguments that it does not know."""
    options = dict.fromkeys((*_WITH_VALUE, "--debug"), "")
    rest = iter(arguments)
    for name in rest:
        if name == "--debug":
            options[name] = "yes"
        elif name in _WITH_VALUE:
            options[name] = next(rest)
        else:
            sys.stderr.write(f"? arg {name}\n")
            sys.exit(255)
    if not options["--pn-prid"]:
        sys.exit(255)
    return options


def say(asked: dict[str, str], text: str, *, debug: bool = False) -> None:
    """Print and log a line."""
    if debug and not asked["--debug"]:
        return
    sys.stdout.write(f"2026-11-30 09:00:00:000 [flexisip] {text}\n")
    log = os.environ.get("FS_LOG_DIR")
    if log is not None:
        with Path(log, _LOG).open("a") as file:
            file.write(f"{text}\n")


def summed_up(asked: dict[str, str], *, failed: int) -> int:
    """Print how it went."""
    say(asked, f"1 push notification(s) sent, {1 - failed} successfully and {failed} failed.")
    return failed


def throw(kind: str, text: str) -> None:
    """End as a C++ program does with an exception that is not caught."""
    sys.stderr.write(f"terminate called after throwing an instance of '{kind}'\n  what():  {text}\n")
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.abort()


def record(kind: str, **what: object) -> None:
    """Leave a note for the test."""
    path = _FOLDER / f"{kind}-{os.getpid()}"
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"pid": os.getpid(), **what}))
    part.rename(path)


if __name__ == "__main__":
    sys.exit(main())
