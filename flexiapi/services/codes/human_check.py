"""Whether a person is behind a request for a creation token: a button, or a captcha where one is configured."""

import hmac

import httpx

from flexiapi.errors import ConfigurationError, Unavailable
from flexiapi.rendering.pages import Captcha
from flexiapi.settings import NocaptchaSettings

_SECONDS = 5.0


class HumanCheckUnavailable(Unavailable):
    """The captcha service does not answer."""

    message = "The check is not available now. Try again later."


class HumanCheck:
    """Verifies the form of the check page: that our page sent it, and the captcha's answer.

    Raises `ConfigurationError` for half a captcha: the page would not ask, and nobody would notice.
    """

    def __init__(self, settings: NocaptchaSettings, key: bytes) -> None:
        if (settings.sitekey is None) != (settings.secret is None):
            raise ConfigurationError(
                "[nocaptcha] needs both sitekey (NOCAPTCHA_SITEKEY) and secret (NOCAPTCHA_SECRET) for a captcha, or "
                "neither for a button alone."
            )
        self._settings = settings
        self._key = key

    @property
    def captcha(self) -> Captcha | None:
        """What the page shows, `None` for a button alone."""
        settings = self._settings
        if settings.sitekey is None or settings.secret is None:
            return None
        return Captcha(settings.sitekey, settings.script_url, settings.widget_class)

    @property
    def response_field(self) -> str:
        """The form field with the captcha's answer."""
        return self._settings.response_field

    def csrf(self, token: str) -> str:
        """What only our page for this token knows."""
        return hmac.new(self._key, token.encode(), "sha256").hexdigest()

    def is_our_form(self, token: str, csrf: str) -> bool:
        """Whether the form comes from our page."""
        return hmac.compare_digest(self.csrf(token).encode(), csrf.encode())

    async def is_human(self, response: str, address: str) -> bool:
        """Whether the captcha was solved; always, without one. Raises `HumanCheckUnavailable`."""
        secret = self._settings.secret
        if self.captcha is None or secret is None:
            return True
        form = {"secret": secret.get_secret_value(), "response": response, "remoteip": address}
        try:
            async with httpx.AsyncClient(timeout=_SECONDS) as client:
                answer = await client.post(self._settings.verify_url, data=form)
                answer.raise_for_status()
                verdict = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise HumanCheckUnavailable from error
        return isinstance(verdict, dict) and verdict.get("success") is True
