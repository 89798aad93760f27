"""Tokens of forms, which show that a form came from a page of ours in the same browser."""

import hmac


class FormTokens:
    """Tokens of forms: HMAC-SHA-256 over a secret that only the browser's cookie has, and the name of the form."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, secret: str, form: str) -> str:
        """Return the token of a form for the browser with the secret."""
        return hmac.new(self._key, f"{secret} {form}".encode(), "sha256").hexdigest()

    def is_right(self, token: str, secret: str, form: str) -> bool:
        """Return whether a token is that of the form for the browser with the secret, in constant time."""
        return hmac.compare_digest(self.make(secret, form).encode(), token.encode())
