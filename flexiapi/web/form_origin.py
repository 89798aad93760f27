"""The check that a form was sent by a page of ours."""

from urllib.parse import urlsplit

from flexiapi.errors import CrossSiteRequest
from flexiapi.web.exchange import Exchange


class CrossSiteForm(CrossSiteRequest):
    """Another site made the browser send a form."""

    message = "The form came from another site. Open the page here and send it again."


def form(_operation: object, exchange: Exchange) -> None:
    """Refuse a form that another site sends, or that has another token than the page of this browser.

    Where the browser says which site it was, that counts. Otherwise `Origin` must not name another one; it is `null` in
    browsers that follow our Referrer-Policy.
    """
    headers = exchange.request.headers
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    own = (None, "null", origin_of(exchange.public_url))
    if site not in (None, "same-origin", "none") or (site is None and origin not in own):
        raise CrossSiteForm
    exchange.check_form()


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL, as browsers name a site."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
