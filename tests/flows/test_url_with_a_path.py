"""A public URL with a path, which a front server removes from the requests that it passes on."""

import re

import pytest

URL = "https://accounts.b-telecom.test/flexiapi"


@pytest.fixture
def configure():
    return {"app": {"key": "k" * 40, "url": URL + "/", "dangerous_endpoints": True}, "panel": {"registration": "open"}}


def test_every_url_that_is_handed_out_has_the_path(http, admin, alice):
    listing = http.get("/api/accounts", headers=admin.headers).json()
    assert listing["first_page_url"].startswith(f"{URL}/api/accounts?")
    token = http.get("/api/accounts/me/provision", headers=alice.headers).json()["provisioning_token"]
    assert http.get(f"/provisioning/qrcode/{token}").headers["X-Qrcode-URL"] == f"{URL}/provisioning/{token}"
    assert f">{URL}/contacts/vcard<" in http.get(f"/provisioning/{token}").text


ENTRANCE = ["/login", "/register/email", "/recover/email", "/authenticate/qrcode", "/documentation", "/about"]


@pytest.mark.parametrize("path", ["/api", "/nothing-there", "/", *ENTRANCE])
def test_no_page_links_to_the_root_of_the_host(http, path):
    page = http.get(path, headers={"Accept": "text/html"})
    assert page.headers.get("Location", "/flexiapi/").startswith("/flexiapi/")
    assert re.findall(r"""(?:href|src|action)=["']?/(?!flexiapi/)[^"' >]*""", page.text) == []
