"""The reader of answers finds what Flexisip throws away or reads wrongly."""

import json

import pytest

from tests.kit import flexisip_reader
from tests.kit.flexisip_reader import Unread

RULE = {"type": "always", "forward_to": "sip_uri", "sip_uri": "sip:a@b.example.org", "enabled": True}
ACCOUNT = {"id": 1, "sip_uri": "sip:bob@b.example.org", "call_forwardings": [RULE]}


def body(**changes):
    return json.dumps({"type": "account", "payload": {**ACCOUNT, **changes}})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "1"},
        {"sip_uri": None},
        {"sip_uri": "bob@b.example.org"},
        {"call_forwardings": None},
        {"call_forwardings": [{**RULE, "sip_uri": None}]},
        {"call_forwardings": [{**RULE, "enabled": None}]},
        {"call_forwardings": [{**RULE, "forward_to": "contact"}]},
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_a_null_or_a_missing_key_throws_away_the_account(changes):
    with pytest.raises(Unread):
        flexisip_reader.resolved(body(**changes))


def test_a_word_that_is_not_known_is_the_first_of_its_list():
    assert flexisip_reader.resolved(body())[2] == [("always", "sip:a@b.example.org", True)]
    unknown = body(call_forwardings=[{**RULE, "type": "no_answer"}])
    assert flexisip_reader.resolved(unknown)[2][0][0] == "always"


def test_domains_are_an_array_with_status_200_or_nothing():
    assert flexisip_reader.domains(200, '[{"domain": "a.example.org"}]') == {"a.example.org"}
    for status, text in ((503, "[]"), (200, "{}"), (200, '[{"domain": null}]')):
        with pytest.raises(Unread):
            flexisip_reader.domains(status, text)
