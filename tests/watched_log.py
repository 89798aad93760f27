"""Reads all that servers under test log, for what must never stand there: secrets, and errors nobody announced."""

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


class WatchedLog:
    """The log of the session; `secrets` are those that the current test used."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.secrets: set[str] = set()
        self.expected_errors: str | None = None

    def configure(self) -> None:
        observing.configure("debug", stream=self.stream)

    def watch(self, client: httpx.Client) -> None:
        """Note the secrets of every exchange."""
        client.event_hooks["response"].append(self._note)

    def _note(self, response: httpx.Response) -> None:
        response.read()
        self._note_object(response.request.content)
        self._note_object(response.content)
        key = response.request.headers.get("x-api-key")
        if key:
            self.secrets.add(key)
        if response.request.url.path.endswith("/me/api_key") and response.is_success:
            self.secrets.add(response.text)

    def _note_object(self, content: bytes) -> None:
        try:
            values = json.loads(content)
        except ValueError:
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

    def check(self, more: str) -> None:
        """Fail on a secret or an error, and start anew; `more` is what was logged elsewhere."""
        text = self.stream.getvalue() + more
        self.stream.seek(0)
        self.stream.truncate()
        secrets, self.secrets = self.secrets, set()
        expected, self.expected_errors = self.expected_errors, None
        leaked = [secret for secret in secrets if re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", text)]
        assert not leaked, f"secrets in the log: {leaked}"
        errors = [line for line in text.splitlines() if re.match(r"\S+Z error ", line)]
        unexpected = [line for line in errors if expected is None or not re.search(expected, line)]
        assert not unexpected, f"errors in the log that the test did not announce: {unexpected}"
