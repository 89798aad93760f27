"""Steps of the layout, among them step 4: claims of accounts that an older release wrote, and usual spellings."""

from pathlib import Path

import pytest

from flexiapi.store import steps
from flexiapi.store.steps import STEPS, StepKind

ROOT = Path(__file__).parents[2]

DOMAIN = "sip.example.org"
PHONE = "+33612345678"


@pytest.fixture
def written(server):
    """Write an account as a release without claims did, run the step twice, and return what is stored then."""

    def write(username, **fields):
        phone = fields.get("phone")
        names = [f"sip:{username}@{DOMAIN}"]
        if username.startswith("+"):
            names.append(f"tel:{username}")
        if phone:
            names += [f"sip:{phone}@{DOMAIN}", f"tel:{phone}"]
        account = server.person().account

        async def stepped():
            database = server.store._database
            kept = await database["accounts"].find_one({"_id": account.id})
            old = {name: kept[name] for name in ("_id", "domain", "created_at", "updated_at", "passwords", "revision")}
            old |= {"username": username, "activated": False, "identifiers": list(dict.fromkeys(names)), **fields}
            await database["accounts"].replace_one({"_id": account.id}, old)
            for _ in range(2):
                assert (await steps._make_claims(database, None)).documents
            return await database["accounts"].find_one({"_id": account.id})

        return server.run(stepped())

    return write


def test_a_number_that_nobody_proved_becomes_a_claim(server, written):
    stored = written("alice.martin", phone=PHONE, email="a@example.org", creation_token_hash=b"t")
    assert stored["identifiers"] == [f"sip:alice.martin@{DOMAIN}"]
    assert ("phone" in stored, stored["claimed_phone"], stored["unconfirmed"]) == (False, PHONE, True)
    account = server.account(stored["_id"])
    assert server.store.accounts._documents.identifiers(account) == stored["identifiers"]


@pytest.mark.parametrize("fields", [{"phone": PHONE}, {}])
def test_an_account_that_is_named_by_its_number_becomes_one(server, written, fields):
    stored = written(PHONE, creation_token_hash=b"t", **fields)
    assert stored["identifiers"] == [f"claim:{PHONE}@{DOMAIN}"]
    assert server.account(stored["_id"]).is_claim
    assert stored["has_first_password"] is True


@pytest.mark.parametrize(
    "fields",
    [
        {"creation_token_hash": b"t", "activated": True},
        {"creation_token_hash": b"t", "activated_at": "once"},
        {},
    ],
    ids=["active", "was active", "of an administrator"],
)
def test_all_other_numbers_stay_proven(written, fields):
    stored = written("alice.martin", phone=PHONE, **fields)
    assert (stored["phone"], f"tel:{PHONE}" in stored["identifiers"]) == (PHONE, True)
    assert "unconfirmed" not in stored


@pytest.mark.parametrize(("epoch", "is_first"), [({}, True), ({"epoch": 1}, False)])
def test_a_first_password_is_noted_unless_another_was_set(written, epoch, is_first):
    stored = written(PHONE, creation_token_hash=b"t", activated=True, activated_at="once", phone=PHONE, **epoch)
    assert stored.get("has_first_password", False) is is_first


def test_names_get_their_usual_spelling_besides(written):
    assert f"tel:{PHONE}" in written("alice.martin", phone="+330612345678")["identifiers"]
    assert f"sip:bob@{DOMAIN}" in written("\uff42ob")["identifiers"]


def test_a_spelling_that_another_account_has_is_left_to_it(server, written):
    server.person(phone=PHONE)
    stored = written("alice.martin", phone="+330612345678")
    assert f"tel:{PHONE}" not in stored["identifiers"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"step {step.number}")
def test_the_manual_says_what_each_step_makes_irreversible(step):
    page = (ROOT / "docs" / "upgrading.md").read_text()
    assert step.lasting or step.kind is StepKind.EXPAND
    assert f"| {step.number} | {step.sentence} | {step.lasting} |" in page
