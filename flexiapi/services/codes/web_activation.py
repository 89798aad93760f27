"""Activation by the link of a message: the same answers for accounts that there are and that there are not."""

from flexiapi.errors import CodeRefused, RecordNotFound, TooManyRequests
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, Space
from flexiapi.services.codes.activation import Activation, compares_pin
from flexiapi.services.ground import Ground
from flexiapi.sip_address import user_and_domain


class WebActivation:
    """Codes of new accounts that come in links, compared and counted as typed ones.

    Tries are counted for what the link names too, known or not; the limits of the account itself refuse like a wrong
    code.
    """

    def __init__(self, ground: Ground, activation: Activation) -> None:
        self._spaces = ground.spaces
        self._activation = activation
        self._limiter = ground.limiter

    def address(self, name: str, space: Space) -> str:
        """Return the address, `user@domain`, of the account that a link names. It need not exist."""
        return "@".join(_named(name, space))

    async def confirm(self, name: str, code: str, actor: Actor) -> Account:
        """Activate the account that a link names, by its code.

        Raises `CodeRefused` for one that is wrong or was used, whatever the reason, `ActivationExpired` for a right one
        that is too late, `TooManyRequests` after too many tries for what the link names, and `ValidationFailed` if
        another account proved the address or number first.
        """
        space = actor.space or self._spaces.default
        username, domain = _named(name, space)
        subject, network = f"activation {username}@{domain}", counted_as(actor.address)
        await self._limiter.take(("code_tries_network", f"{subject} {network}"))
        try:
            account = await self._activation.awaiting(username, domain, space, named_by_number=True)
            if account is None or not compares_pin(account, code):
                await self._limiter.take_in_vain(subject, actor.address)
            if account is None:
                raise CodeRefused
            return await self._activation.activate_found(account, code, actor)
        except (RecordNotFound, TooManyRequests) as error:
            raise CodeRefused from error


def _named(name: str, space: Space) -> tuple[str, str]:
    return user_and_domain(name) or (name, space.domain)
