"""Sign-up on a page: by e-mail or by phone, with an invitation or without."""

from collections.abc import Mapping
from typing import Any

from flexiapi.errors import FieldErrors, ValidationFailed
from flexiapi.model import Account, Actor, CodeChannel, Space
from flexiapi.model.space import Registration
from flexiapi.services.accounts.details import AccountDetails
from flexiapi.services.accounts.rules import AccountRules, RegistrationClosed
from flexiapi.services.accounts.sign_up import SigningUp
from flexiapi.services.codes import CreationTokens
from flexiapi.services.ground import Ground

_NO_INVITATION = "token is no invitation, or it is used or expired"
_STRICTEST_FIRST: tuple[Registration, ...] = ("closed", "invited", "open")


class WebSignUp:
    """Accounts that people create on a page, by the same creation tokens as apps use.

    Where registration is open, the request gets its token here and spends it at once, counted for its network, unless
    it has an invitation: that may give the account types and lists.
    """

    def __init__(
        self, ground: Ground, rules: AccountRules, creation_tokens: CreationTokens, signing_up: SigningUp
    ) -> None:
        self._rules = rules
        self._creation_tokens = creation_tokens
        self._signing_up = signing_up
        self._limiter = ground.limiter
        self._spaces = ground.spaces

    def registration(self, space: Space) -> Registration:
        """Return who may create an account on a page: the stricter of the settings of the panel and of accounts."""
        return min(space.registration, space.panel_registration, key=_STRICTEST_FIRST.index)

    def refuse_closed(self, space: Space) -> None:
        """Raise `RegistrationClosed` if only administrators create accounts."""
        if self.registration(space) == "closed":
            raise RegistrationClosed

    async def faults(self, values: Mapping[str, Any], space: Space) -> FieldErrors:
        """Check the values of a sign-up, of which `token` is an invitation, as far as anyone may be told.

        Raises `RegistrationClosed`.
        """
        self.refuse_closed(space)
        token = values.get("token")
        if token or self.registration(space) == "invited":
            refused = await self._creation_tokens.invitation_faults(token, space) if token else {}
            # Without a right token nothing is told about names in use.
            if refused:
                return {"token": [_NO_INVITATION]}
            if not token:
                return {"token": ["token is missing"]}
        faults = await self._signing_up.told_faults(values, space.domain, space)
        return self._rules.new_password_faults(values, space) | faults

    async def sign_up(
        self, new: AccountDetails, invitation: str | None, actor: Actor, *, channel: CodeChannel = "sms"
    ) -> Account:
        """Create an account and send the code that activates it.

        Raises as `SigningUp.sign_up`, `RegistrationClosed`, and `TooManyRequests` over the limit of the network.
        """
        space = actor.space or self._spaces.default
        self.refuse_closed(space)
        is_open = self.registration(space) == "open"
        token = await self._creation_tokens.mint(actor) if is_open and not invitation else invitation or ""
        try:
            account = await self._signing_up.sign_up(new, token, actor, channel=channel)
        except ValidationFailed as error:
            if "account_creation_token" in error.errors:
                raise ValidationFailed({"token": [_NO_INVITATION]}) from error
            raise
        await self._limiter.count("resends", str(account.id))
        return account

    async def give_up(self, account: Account, actor: Actor) -> None:
        """Remove an account that its creator does not want to confirm."""
        await self._signing_up.give_up(account, actor)
