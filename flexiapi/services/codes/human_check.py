"""Human check before a creation token is given: a button, or the captcha that is configured."""

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
    """Verification of the page's form: its CSRF token, and the answer to the captcha.

    Raises `ConfigurationError` for half a captcha, which would let everything pass.
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
        """The captcha of the page, `None` for a button alone."""
        settings = self._settings
        if settings.sitekey is None or settings.secret is None:
            return None
        return Captcha(settings.sitekey, settings.script_url, settings.widget_class)

    @property
    def response_field(self) -> str:
        """Name of the form field with the captcha's answer."""
        return self._settings.response_field

    def csrf(self, token: str) -> str:
        """Return the CSRF token of the page for a request token."""
        return hmac.new(self._key, token.encode(), "sha256").hexdigest()

    def is_our_form(self, token: str, csrf: str) -> bool:
        """Return whether the form has the CSRF token of its page."""
        return hmac.compare_digest(self.csrf(token).encode(), csrf.encode())

    async def is_human(self, response: str, address: str) -> bool:
        """Return whether the captcha was solved, True if there is none. Raises `HumanCheckUnavailable`."""
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
