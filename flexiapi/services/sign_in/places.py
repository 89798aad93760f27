"""Notices of sign-ins to the panel from an unknown network or browser."""

import hmac
from datetime import timedelta
from ipaddress import ip_address, ip_network

from flexiapi.model import Account, Actor, Browser, SignInMethod
from flexiapi.rendering.messages import NewSignInMail
from flexiapi.services.ground import Ground

_LIFE = timedelta(days=180)
_NETWORK_BITS = {4: 24, 6: 48}
_MARK_BYTES = 16
# Who signed in by a code or an invitation has shown to read what goes to the owner.
_TOLD = (SignInMethod.PASSWORD, SignInMethod.QR)


class SignInPlaces:
    """The networks and browsers that an account was signed in from, the last ones of half a year.

    A network is an IPv4 /24 or an IPv6 /48, and a browser its name and system without a version: addresses and versions
    change too often to say anything.
    """

    def __init__(self, ground: Ground) -> None:
        self._places = ground.store.sign_in_places
        self._notices = ground.notices
        self._spaces = ground.spaces
        self._key = ground.key.derive("sign-in places")
        self._clock = ground.clock

    async def note(self, account: Account, actor: Actor, method: SignInMethod) -> None:
        """Remember a sign-in, and tell the account's proven address of one from elsewhere."""
        now, browser = self._clock.now(), Browser.of(actor.user_agent)
        marks = [self._mark(account, text) for text in (f"network {_network(actor.address)}", f"browser {browser}")]
        is_known = await self._places.note(account.id, marks, now + _LIFE)
        if is_known or method not in _TOLD or not account.activated:
            return
        link = f"{self._spaces.of_domain(account.domain).url}/sessions"
        mail = NewSignInMail(account.address, now, actor.address, link, browser.name, browser.system)
        await self._notices.notify(account.proven_email, mail, account, actor)

    def _mark(self, account: Account, text: str) -> bytes:
        return hmac.digest(self._key, f"{account.id} {text}".encode(), "sha256")[:_MARK_BYTES]


def _network(address: str) -> str:
    """Return the network of an IP address, the text itself for anything else."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, _NETWORK_BITS[parsed.version]), strict=False))
