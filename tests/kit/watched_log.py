"""The logs of servers under test, checked for secrets and for errors that no test announced."""

import contextlib
import io
import json
import re

import httpx

from flexiapi import observing

_SECRET_KEYS = {
    "password",
    "old_password",
    "token",
    "api_key",
    "confirmation_key",
    "provisioning_token",
    "account_creation_token",
    "account_creation_request_token",
}
_SHORTEST = 6
_PIN = re.compile(r"(?<![\w.+-])\d{4}(?![\w.-])")

# Dates, figures and ids of ours, ports, lines of code: any of them may equal a PIN.
_NUMBERS_BY_NATURE = re.compile(
    r"""
      \b\d{4}-\d\d-\d\d (?:T[\d:.]+Z)?
    | [ ](?:account|ms|pid|seconds|status|target)=[\d.]+ (?=\s|$)
    | "(?:account|ms|pid|seconds|status|target)":[ ]"?[\d.]+ (?=[",}])
    | ://[\w.-]+:\d+
    | ,[ ]line[ ]\d+,[ ]in[ ]
    """,
    re.VERBOSE,
)


class WatchedLog:
    """The log of the session; `secrets` are those that the current test used."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.secrets: set[str] = set()
        self.expected_errors: str | None = None
        self.served = False

    def configure(self) -> None:
        """Begin anew: what a test logs is its own."""
        self.stream = io.StringIO()
        self.secrets = set()
        self.expected_errors = None
        self.served = False
        observing.configure("debug", stream=self.stream)

    def watch(self, client: httpx.Client) -> None:
        """Note the secrets of every exchange."""
        client.event_hooks["response"].append(self._note)

    def _note(self, response: httpx.Response) -> None:
        response.read()
        with contextlib.suppress(httpx.RequestNotRead):
            self._note_object(response.request.content)
        self._note_object(response.content)
        key = response.request.headers.get("x-api-key")
        if key:
            self.secrets.add(key)
        if response.request.url.path.endswith("/me/api_key") and response.is_success:
            self.secrets.add(response.text)
        self.secrets.discard("")

    def _note_object(self, content: bytes) -> None:
        try:
            values = json.loads(content)
        except (ValueError, RecursionError):
            return
        if isinstance(values, dict):
            self.secrets |= {
                value
                for name, value in values.items()
                if name in _SECRET_KEYS and isinstance(value, str) and len(value) >= _SHORTEST
            }

    def note_messages(self, messages: list[dict]) -> None:
        """Note the PINs and tokens that were sent."""
        for message in messages:
            self.secrets.update((message.get("data") or {}).values())
            self.secrets.update(_PIN.findall(message.get("text", "")) if message["transport"] == "sms" else ())

    def note_lines(self, text: str) -> None:
        """Note what a server of this test logged elsewhere."""
        self.served = True
        self.stream.write(text)

    def check(self, *, errors: bool) -> None:
        """Fail on a secret in the log, and with `errors` on lines of that severity that no test announced."""
        text = self.stream.getvalue()
        numberless = _NUMBERS_BY_NATURE.sub(" ", text)
        leaked = [secret for secret in self.secrets if _stands_in(secret, numberless if secret.isdigit() else text)]
        assert not leaked, f"secrets in the log: {leaked}"
        if errors:
            lines = [line for line in text.splitlines() if re.match(r"\S+Z (?:error|critical) ", line)]
            unexpected = [line for line in lines if not re.search(self.expected_errors or "$^", line)]
            assert not unexpected, f"errors in the log that the test did not announce: {unexpected}"


def _stands_in(secret: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", text) is not None


LOG = WatchedLog()
