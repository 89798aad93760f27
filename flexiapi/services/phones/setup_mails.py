"""Mails with a provisioning link."""

from datetime import timedelta

from flexiapi.crypto.keys import random_text
from flexiapi.errors import ValidationFailed
from flexiapi.model import Account, Actor
from flexiapi.rendering.messages import ProvisioningMail
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.phones.provisioning import TOKEN_LENGTH


class SetupMails:
    """Provisioning links that administrators have mailed. The password stays as it is."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._notices = ground.notices
        self._clock = ground.clock
        hours = ground.settings.account.provisioning_token_hours
        self._life = timedelta(hours=hours) if hours else None

    async def send(self, account: Account, actor: Actor) -> Account:
        """Mail an account a new link that sets up one device. A link of before ends once the mail was accepted.

        Raises `ValidationFailed` when it has no address, or is named by a number that is not proven, `RecordNotFound`,
        `TooManyRequests`, `DeliveryFailed`.
        """
        if account.is_claim:
            raise ValidationFailed({"email": ["email does not confirm an account that is named by its phone number"]})
        if account.email is None:
            raise ValidationFailed({"email": ["email is not set on this account"]})
        url, token = self._spaces.of_domain(account.domain).url, random_text(TOKEN_LENGTH)
        mail = ProvisioningMail(
            account.address,
            f"{url}/provisioning/qrcode/{token}",
            f"{url}/setup/{token}",
            self._life,
        )
        await self._notices.mail(account.email, mail, account, actor)
        change = account.with_provisioning_token(token, self._clock.second(), "mail")
        return existing(await self._store.accounts.apply(change, actor))
