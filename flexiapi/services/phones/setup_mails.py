"""Mails with a provisioning link."""

from datetime import timedelta

from flexiapi.crypto.keys import random_text
from flexiapi.errors import NoEmailConfigured, ValidationFailed
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

        Raises `NoEmailConfigured`, `ValidationFailed` when it is named by a number that is not proven or the link would
        not work, `RecordNotFound`, `TooManyRequests`, `DeliveryFailed`.
        """
        if account.is_claim:
            raise ValidationFailed({"email": ["email does not confirm an account that is named by its phone number"]})
        if account.email is None:
            raise NoEmailConfigured
        if account.is_barred or account.is_blocked:
            raise ValidationFailed(
                {"email": ["email cannot be sent a link while the account is deactivated or blocked"]}
            )
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
