"""People who sign up, with what reaches them."""

import itertools
import re

_NUMBERS = itertools.count(10_000_000)
PASSWORD = "correct-horse-battery"
DOMAIN = "sip.example.org"


def new_number():
    """A phone number that nothing else in this process has: random ones meet sooner than one thinks."""
    return f"+336{next(_NUMBERS)}"


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def key_of(message):
    return re.search(r"\b([A-Za-z0-9]{13}|[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{5})\b", message["text"])[1]


def faults_of(answer):
    assert answer.status_code == 422, answer.text
    return set(answer.json()["errors"])


class Stranger:
    """A client without an account, which signs up."""

    def __init__(self, server):
        self.server = server

    def body(self, **values):
        token = self.server.creation_token()
        return {"password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": token, **values}

    def sign_up(self, **values):
        return self.server.http.post("/api/accounts/public", json=self.body(**values))

    def activate(self, name, code, by="phone"):
        return self.server.http.post(f"/api/accounts/{name}@{DOMAIN}/activate/{by}", json={"confirmation_key": code})

    @property
    def last(self):
        return self.server.messages[-1]

    def is_free(self, body):
        tokens = self.server.services.codes.creation_tokens
        return self.server.run(tokens.is_free(body["account_creation_token"]))


def identifiers(server, account_id):
    """The identifiers that are stored of an account."""

    async def read():
        return (await server.store._database["accounts"].find_one({"_id": account_id}))["identifiers"]

    return server.run(read())
