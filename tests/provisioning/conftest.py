"""`account(...)` makes an account; `read(xml)` validates a document and gives its sections as a phone sees them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from flexiapi.model import Account, Algorithm, Password
from flexiapi.provisioning.document import NAMESPACE

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def schema():
    return xmlschema.XMLSchema(str(Path(__file__).parent.parent / "data" / "lpconfig.xsd"))


@pytest.fixture
def account():
    foobar = Account(
        id=12,
        username="foobar",
        domain="sip.example.org",
        created_at=NOW,
        updated_at=NOW,
        activated=True,
        display_name="Foo Bar",
        passwords=(Password(Algorithm.SHA_256, "b" * 64),),
    )
    return lambda **changes: replace(foobar, **changes)


@pytest.fixture
def read(schema):
    def parsed(xml):
        schema.validate(xml.decode())
        assert not xml.startswith(b"<?xml")
        root = ET.fromstring(xml)
        return [
            (
                section.get("name"),
                [(entry.get("name"), entry.text or "", entry.get("overwrite") == "true") for entry in section],
            )
            for section in root.findall(f"{{{NAMESPACE}}}section")
        ]

    return parsed
