"""Profile of an OAuth token endpoint, as Microsoft and Google have one."""

from itertools import count

from flexiapi.testing.http1 import Gateway
from flexiapi.testing.replies import Reply, Request, reply

_PATH = "/token"


class TokenEndpoint(Gateway):
    """An endpoint that issues access tokens for a client's credentials or a refresh token.

    It is the container of those that are valid: `MailServer(access_tokens=endpoint)`. Tokens have the length of
    Microsoft's.

    Attributes, which a test may change at any time:
        client_id, client_secret, refresh_token: what it asks for; without a `refresh_token` the secret is enough.
        lifetime: the seconds for which it says that a token is valid.
        rotates: whether it gives a new refresh token with each access token, and takes only that one from then on.
        issued: all tokens so far.
    """

    def __init__(
        self,
        *,
        client_id: str = "client",
        client_secret: str = "s3cret",  # noqa: S107 - a test's
        refresh_token: str | None = None,
        lifetime: float = 3600,
        rotates: bool = False,
    ) -> None:
        super().__init__()
        self.client_id = client_id
        self.client_secret = client_secret
        self.refresh_token = refresh_token
        self.lifetime = lifetime
        self.rotates = rotates
        self.issued: list[str] = []
        self._valid: set[str] = set()
        self._numbers = count(1)
        self.recover()

    @property
    def token_url(self) -> str:
        """The URL that tokens are asked for at."""
        return f"{self.url}{_PATH}"

    def __contains__(self, token: object) -> bool:
        return token in self._valid

    def revoke(self) -> None:
        """Make all tokens so far invalid."""
        self._valid.clear()

    def fail(self, answer: Reply) -> None:
        """Give this answer in place of tokens."""
        self.answer(answer, path=_PATH)

    def recover(self) -> None:
        """Issue tokens again."""
        self.answer(self._answered, path=_PATH)

    def _answered(self, request: Request) -> Reply:
        form = request.form()
        if form.get("client_id") != self.client_id or form.get("client_secret") != self.client_secret:
            error = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return reply(401, {**error, "error_codes": [7000215]})
        grant = "client_credentials" if self.refresh_token is None else "refresh_token"
        if form.get("grant_type") != grant or form.get("refresh_token") != self.refresh_token:
            return reply(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        return reply(200, self._issued())

    def _issued(self) -> dict[str, object]:
        number = next(self._numbers)
        token = f"{number}.".ljust(2000, "A")
        self._valid.add(token)
        self.issued.append(token)
        answer: dict[str, object] = {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}
        if self.rotates and self.refresh_token is not None:
            self.refresh_token = f"refresh-{number}"
            answer["refresh_token"] = self.refresh_token
        return answer
