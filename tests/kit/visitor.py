"""A browser without a screen: cookies, forms of pages, and what stands on a page."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class PageForm:
    """A form of a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._open: PageForm | None = None
        self._select: str | None = None
        self._text: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self._open = PageForm(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
        elif self._open is None or "name" not in given:
            if tag == "option" and self._select and self._open is not None:
                known = self._open.fields
                if "selected" in given or self._select not in known:
                    known[self._select] = given.get("value", "")
        elif tag == "input":
            if given.get("type") in ("checkbox", "radio") and "checked" not in given:
                return
            self._open.fields[given["name"]] = given.get("value") or ""
        elif tag == "select":
            self._select = given["name"]
        elif tag == "textarea":
            self._open.fields[given["name"]] = ""
        elif tag == "button" and given.get("value"):
            self._open.labels.append(given["value"])

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def forms_of(html: str) -> list[PageForm]:
    """The forms of a page, in order."""
    parser = _Forms()
    parser.feed(html)
    return parser.forms


class Visitor:
    """A browser without scripts: it keeps cookies, and sends the forms of the page that it last opened."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        # It speaks no TLS, and reading the certificates of authorities takes as long as a test.
        self.http = httpx.Client(base_url=url, headers=headers or {}, timeout=60, verify=False)
        self.page: httpx.Response | None = None

    def close(self) -> None:
        self.http.close()

    def open(self, path: str) -> httpx.Response:
        """Open a path and follow redirects, as a browser does."""
        self.page = self.http.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        return self.page

    def form(self, action: str) -> PageForm:
        """The form of the page whose action ends like this; one that changes something comes before a search."""
        found = [one for one in forms_of(self.page.text) if one.action.partition("?")[0].endswith(action)]
        assert found, f"no form for {action} on {self.page.url}: {[one.action for one in forms_of(self.page.text)]}"
        return min(found, key=lambda one: one.method != "post")

    def send(self, action: str, *, follow: bool = True, **values: str) -> httpx.Response:
        """Fill a form of the page and send it."""
        form = self.form(action)
        headers = {
            "Origin": str(self.http.base_url).rstrip("/"),
            "Sec-Fetch-Site": "same-origin",
            "Accept": "text/html",
        }
        given = {**form.fields, **values}
        self.page = self.http.post(form.action, data=given, headers=headers, follow_redirects=follow)
        return self.page

    def send_at_once(self, action: str, number: int, **values: str) -> list[httpx.Response]:
        """Fill a form of the page and send it that many times in parallel, without following redirects."""
        form = self.form(action)
        given = {**form.fields, **values}
        with ThreadPoolExecutor(25) as pool:
            return list(pool.map(lambda _: self.http.post(form.action, data=given), range(number)))

    def sign_in(self, person, password: str | None = None) -> httpx.Response:
        """Sign in on the sign-in page."""
        self.open("/login")
        return self.send("/authenticate", username=person.account.username, password=password or person.password)
