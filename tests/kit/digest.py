"""DIGEST sign-in, computed by hand."""

import re

from flexiapi.crypto import digest

ME = "/api/accounts/me"


def challenges(answer):
    return answer.headers.get_list("www-authenticate")


def algorithms(answer):
    return [re.search(r"algorithm=([A-Z0-9-]+)", line)[1] for line in challenges(answer)]


def nonce_of(answer):
    return re.search(r'nonce="([^"]+)"', challenges(answer)[0])[1]


def answering(person, nonce, nc, algorithm="MD5", *, realm=None, password=None, uri=ME):
    """The headers of a DIGEST answer, computed here by hand."""
    name, domain = person.account.username, person.account.domain
    realm = realm or domain
    ha1 = digest.ha1(algorithm, name, realm, password or person.password)
    response = digest.response(algorithm, ha1, nonce, f"{nc:08x}", "0a4f113b", "auth", "GET", uri)
    fields = (
        f'username="{name}",realm="{realm}",nonce="{nonce}",uri="{uri}",nc={nc:08x},cnonce="0a4f113b",qop=auth,'
        f'response="{response}",opaque="ZmxleGlhcGk",algorithm={algorithm}'
    )
    return {"From": f"sip:{person.sip}", "Authorization": f"Digest {fields}"}


def answer(person, nonce, nc=1, **changes):
    """Return the headers of a DIGEST answer for a password stored as SHA-256."""
    return answering(person, nonce, nc, "SHA-256", **changes)


def asked(http, person):
    """The answer to a request without credentials, which brings a challenge."""
    return http.get(ME, headers={"From": f"sip:{person.sip}"})
