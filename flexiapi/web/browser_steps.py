"""Steps of the pipeline that concern browsers: cookies, limited sessions, and fresh proofs."""

from datetime import timedelta

from flexiapi.errors import ConfirmationRequired, CrossSiteRequest
from flexiapi.web import identity
from flexiapi.web.exchange import Exchange
from flexiapi.web.form_origin import origin_of
from flexiapi.web.operation import Access, Operation

ADMIN_MINUTES = 60
"""Age of the last proof of identity that pages of administrators accept."""


def cross_site(_operation: object, exchange: Exchange) -> None:
    """Refuse a change by cookie, unless the browser says that our own site started it: other sites can cause it too."""
    if not isinstance(exchange.claim, identity.ApiKey) or not exchange.claim.from_cookie:
        return
    headers = exchange.request.headers
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if (site, origin) == (None, None) or site not in (None, "same-origin"):
        raise CrossSiteRequest
    if origin not in (None, origin_of(exchange.public_url)):
        raise CrossSiteRequest


def unconfirmed(_operation: object, exchange: Exchange) -> None:
    """Refuse a session that may only confirm its account."""
    if exchange.identity is not None and exchange.identity.is_limited:
        raise ConfirmationRequired


async def fresh(operation: Operation, exchange: Exchange) -> None:
    """Refuse a session whose owner did not prove who it is in the last minutes, as many as the operation demands."""
    minutes = operation.fresh or (ADMIN_MINUTES if operation.access is Access.ADMIN else 0)
    if minutes:
        await exchange.check_fresh(timedelta(minutes=minutes))
