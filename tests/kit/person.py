"""Accounts that tests make, with their credentials."""

from dataclasses import dataclass

import httpx

from flexiapi.model import Account

PASSWORD = "correct-horse-battery"


@dataclass
class Person:
    """An account that a test made, and what signs it in."""

    account: Account
    password: str
    key: str

    @property
    def id(self):
        return self.account.id

    @property
    def headers(self):
        return {"x-api-key": self.key}

    @property
    def sip(self):
        return self.account.address

    @property
    def digest(self):
        return {"auth": httpx.DigestAuth(self.account.username, self.password), "headers": {"From": f"sip:{self.sip}"}}
