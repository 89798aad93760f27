"""Two spaces in one server: nothing of one is visible or usable in the other, over every operation."""

import json
import secrets

import pytest

from flexiapi.crypto.keys import opened
from flexiapi.server.routes import ENDPOINTS_WITHOUT_PANEL
from flexiapi.web.operation import Access
from tests.kit.person import PASSWORD
from tests.kit.server import WITHOUT_LIMITS, serving
from tests.kit.spaces import PIN, A, B, card_text, documents, sip_auth_query, world
from tests.kit.stranger import new_number
from tests.kit.voicemail import wav

CONFIGURED = {
    "app": {"dangerous_endpoints": True, "linphone_daemon_unix_path": "/nonexistent/socket"},
    "account": {"email_unique": True},
    "flexisip": {"external_auth": True},
    "limits": WITHOUT_LIMITS,
    "panel": {"registration": "invited"},
    "statistics": {"days": 30},
    "spaces": {B: {"name": "Bee", "realm": "bees"}},
}
ACCESS = {Access.PUBLIC: None, Access.USER: "person", Access.ADMIN: "admin"}

# What stands for a path parameter in a world. A new parameter needs its line, so that the sweep sees the operation.
PLACES = {
    "id": lambda one: one.member.id,
    "contact_id": lambda one: one.contact.id,
    "type_id": lambda one: one.type_id,
    "invitation_id": lambda one: one.invitation_id,
    "key_id": lambda one: one.named_key_id,
    "action_id": lambda one: one.tokens["action"],
    "forwarding_id": lambda one: one.tokens["rule"],
    "contacts_list_id": lambda one: one.list_id,
    "sip": lambda one: one.member.address,
    "domain": lambda one: one.domain,
    "phone": lambda one: one.member.phone,
    "email": lambda one: one.member.email,
    "auth_token": lambda one: one.tokens["attached"],
    "provisioning_token": lambda one: opened(one.member.provisioning_token),
    "recover_key": lambda one: one.tokens["code"],
    "uuid": lambda one: f"urn:uuid:{one.member.username}",
    "token": lambda one: one.tokens["request"],
    "voicemail_id": lambda one: one.tokens["voicemail"],
    "secret": lambda one: one.tokens["voicemail_link"],
    "name": lambda one: one.tokens["voicemail_name"],
    "report_id": lambda _: "5f2c9e0a41d7",  # each space has records of its own by this name
    "party": lambda one: one.member.address,
    "device_key": lambda _: "<urn:uuid:4f2e1a9c>",
    "code": lambda _: "ZW",  # a country, for which each space has its own switch
    "label": lambda _: "outbox",  # a backend, which is of no space
    "key": lambda _: "customer",  # an entry of a dictionary, which may be in any
}
# The same, where a path means another thing by the name.
PLACES_OF = {
    "/api/accounts/me/vcards-storage/{uuid}": {"uuid": lambda one: f"urn:uuid:{one.person.username}"},
    "/vcards-storage/{uuid}": {"uuid": lambda one: f"urn:uuid:{one.person.username}"},
    "/api/accounts/auth_token/{auth_token}/attach": {"auth_token": lambda one: one.tokens["free"]},
    "/api/accounts/me/contacts/{sip}": {"sip": lambda one: one.contact.address},
    "/contacts/vcard/{sip}": {"sip": lambda one: one.contact.address},
    "/api/accounts/{sip}/activate/email": {"sip": lambda one: one.waiting.address},
    "/api/accounts/{sip}/activate/phone": {"sip": lambda one: one.pinned.address},
    "/api/accounts/{sip}/recover/{recover_key}": {"sip": lambda one: one.waiting.address},
    "/api/accounts/me/voicemails/{voicemail_id}": {"voicemail_id": lambda one: one.tokens["own_voicemail"]},
    "/api/files/{secret}": {"secret": lambda one: one.tokens["slot"]},
    "/api/account_types/{id}": {"id": lambda one: one.type_id},
    "/api/contacts_lists/{id}": {"id": lambda one: one.list_id},
    "/api/contacts_lists/{id}/contacts/{contact_id}": {"id": lambda one: one.list_id},
}
# What a SIP server reports of one space may name addresses of another, but not alone; numbers name days.
REPORTS = ("/api/stats/", "/api/statistics/")
# What stands for a field of a body or query: first what refers to something, then what is only a value.
REFERENCES = {
    "account_creation_token": lambda one: one.tokens["creation"],
    "account_creation_request_token": lambda one: one.tokens["validated"],
    "confirmation_key": lambda one: one.tokens["code"],
    "to": lambda one: f"sip:{one.member.address}",
    "old_password": lambda _: PASSWORD,
}
VALUES = {
    "name": lambda one: one.texts_of_new["key"],
    "username": lambda one: one.texts_of_new["username"],
    "email": lambda one: one.texts_of_new["email"],
    "phone": lambda one: one.texts_of_new["phone"],
    "key": lambda one: one.texts_of_new["key"],
    "vcard": lambda one: card_text(f"new:{one.texts_of_new['key']}"),
    "domain": lambda one: one.domain,
    "search": lambda one: one.member.phone,
}
_AT = "2026-11-30T14:05:09Z"
PLAIN = {
    "scopes": ["push"],
    "expires_days": "30",
    "uses": "3",
    "idle_days": "30",
    "password": "another-horse-battery",
    "dictionary": {"customer": "C-1024"},
    "value": "C-1024",
    "protocol": "TLS",
    "realm": "realm.example.com",
    "registrar": "registrar.example.com",
    "outbound_proxy": "proxy.example.com",
    "algorithm": "SHA-256",
    "code": PIN,
    "title": "A title",
    "description": "A description",
    "display_name": "A name",
    "dtmf_protocol": "sipinfo",
    "channel": "sms",
    "language": "fr",
    "body": "Hello",
    "activated": "1",
    "admin": "0",
    "blocked": "0",
    "reason": "A reason",
    "page": "1",
    "confirmation_key_expires": "2040-12-12 12:12:12",
    "pn_provider": "fcm",
    "pn_param": "929724111839",
    "pn_prid": "dA1b-APA91b",
    "reset_password": "1",
    "csrf": None,
    "sip_from": "sip:bob@example.org",
    "content_type": "audio/wav",
    "sip_uri": None,
    "call_id": None,
    "id": "5f2c9e0a41d7",
    "devices": {"<urn:uuid:4f2e1a9c>": None},
    "invite_terminated": {"at": _AT, "state": "accepted"},
    "last_status": 200,
    "encrypted": False,
    "conference_id": "x7Yk2",
    "schedule": "2026-12-01",
    "type": "left",
    "by": "hour",
    **dict.fromkeys(("initiated_at", "ended_at", "sent_at", "received_at", "rang_at", "created_at", "at"), _AT),
}
_FORWARDED = {
    "type": lambda _: "busy",
    "forward_to": lambda _: "contact",
    "enabled": lambda _: "0",
    "contact_id": lambda one: one.contact.id,
}
_SAME = ("type", "forward_to", "enabled")
FIELDS_OF = {
    "/api/invitations": {
        "types": lambda one: [one.type_id],
        "contacts_lists": lambda one: [one.list_id],
    },
    "/api/push_notification": {"type": lambda _: "call"},
    "/api/accounts/me/call_forwardings": _FORWARDED,
    "/api/accounts/{id}/call_forwardings": _FORWARDED,
    "/api/accounts/me/call_forwardings/{forwarding_id}": {**_FORWARDED, "type": lambda _: "always"},
    "/api/accounts/{id}/call_forwardings/{forwarding_id}": {**_FORWARDED, "type": lambda _: "always"},
    "/api/accounts/me/vcards-storage/{uuid}": {"vcard": lambda one: card_text(f"urn:uuid:{one.person.username}")},
    "/api/accounts/{id}/vcards-storage/{uuid}": {"vcard": lambda one: card_text(f"urn:uuid:{one.member.username}")},
    "/api/accounts/{sip}/activate/phone": {"confirmation_key": lambda _: PIN},
    "/api/accounts/recover-by-phone": {"phone": lambda one: one.member.phone},
    **{
        f"POST {root}calls": {"from": lambda one: one.member.address, "to": lambda one: one.person.address}
        for root in REPORTS
    },
    **{
        f"POST {root}messages": {"from": lambda one: one.member.address, "to": lambda one: {one.person.address: {}}}
        for root in REPORTS
    },
    **{
        f"GET /api/statistics/{name}": {"from": lambda _: "2026-11-30", "to": lambda _: "2026-12-01"}
        for name in ("calls", "calls.csv", "messages", "messages.csv")
    },
    "/creation_token/validate": {"account_creation_request_token": lambda one: one.tokens["request"]},
}
# Operations that are refused with own things too: there is no SIP server, and prefetching means something else.
OWN = {
    "POST /api/accounts/me/resend": 404,  # they are active
    "POST /api/accounts/{id}/resend": 404,
    "DELETE /api/accounts/me/devices/{uuid}": 404,
    "DELETE /api/accounts/{id}/devices/{uuid}": 404,
    "GET /api/accounts/me/services/turn": 404,  # there is no TURN server
    "POST /callbacks/{label}": 404,  # the outbox takes no reports
    "GET /callbacks/{label}": 404,
    "POST /api/messages": 503,
    "POST /api/accounts/{id}/types/{type_id}": 403,
    "POST /api/accounts/{id}/contacts/{contact_id}": 403,
    "POST /api/accounts/{id}/contacts_lists/{contacts_list_id}": 403,
    "POST /api/contacts_lists/{id}/contacts/{contact_id}": 403,
}
OPERATIONS = [
    pytest.param(endpoint, verb, id=f"{verb.upper()} {endpoint.path}")
    for endpoint in ENDPOINTS_WITHOUT_PANEL
    for verb in endpoint.operations
]


@pytest.fixture(scope="module")
def shared(mongod_uri, tmp_path_factory):
    with serving(CONFIGURED, tmp_path_factory.mktemp("spaces"), mongod_uri) as running:
        yield running


@pytest.fixture(scope="module")
def worlds(shared):
    """Worlds of each space that no request changes, as the other one and as one's own."""
    return {(domain, fresh): _with_new(world(shared, domain), fresh=fresh) for domain in (A, B) for fresh in (0, 1)}


def _with_new(one, *, fresh):
    """Add the names that new accounts get: in the other world they are names in use."""
    mark = secrets.token_hex(4)
    new = {"username": f"new.{mark}", "email": f"new.{mark}@example.com", "key": f"new-{mark}"}
    new["phone"] = new_number()
    known = {"username": one.member.username, "email": one.member.email, "phone": one.member.phone}
    one.texts_of_new = new if fresh else {**known, "key": f"type-{one.member.username.rpartition('.')[2]}"}
    return one


class Attempt:
    """A request for an operation. `foreign` names the parts that are of the other space: path parameters and fields."""

    def __init__(self, server, endpoint, verb, own, other, foreign=()):
        self.server, self.endpoint, self.operation = server, endpoint, endpoint.operations[verb]
        self.own, self.other, self.foreign = own, other, foreign
        fields = self.operation.params.model_fields if self.operation.params else {}
        self.path = self._filled(endpoint.path)
        self.fields = {name: self._field(name) for name in fields}
        if "csrf" in self.fields:
            token = self.fields["account_creation_request_token"]
            self.fields["csrf"] = server.services.codes.human_check.csrf(token)

    def _of(self, part):
        return self.other if part in self.foreign else self.own

    def _filled(self, path):
        known = PLACES | PLACES_OF.get(path, {})
        for name in self.operation.path:
            assert name in known, f"say in this module what stands for the path parameter {{{name}}}"
            path = path.replace(f"{{{name}}}", str(known[name](self._of(name))))
        return f"{path}?{sip_auth_query(self._of('query').person)}" if path == "/sip/auth" else path

    def _field(self, name):
        known = REFERENCES | VALUES | fields_of(self.endpoint, self.operation)
        if name in known:
            return known[name](self._of(name))
        assert name in PLAIN, f"say in this module what stands for the field `{name}`"
        return PLAIN[name]

    def send(self, headers=None):
        if headers is None:
            name = ACCESS[self.operation.access]
            headers = self.own.headers(name) if name else self.own.host
        fields = {name: value for name, value in self.fields.items() if value is not None}
        content = {"params": fields} if self.operation.verb == "get" and fields else {"json": fields} if fields else {}
        if self.operation.upload is not None:
            content = {"files": {"file": ("/tmp/x.wav", wav())}}
        return self.server.http.request(self.operation.verb, self.path, headers=headers, **content)

    @property
    def sent(self):
        return f"{self.path} {json.dumps(self.fields, default=str)}"


def fields_of(endpoint, operation):
    """The values for fields of this path, or of this operation alone."""
    return FIELDS_OF.get(endpoint.path, {}) | FIELDS_OF.get(f"{operation.verb.upper()} {endpoint.path}", {})


def parts_of(endpoint, verb):
    """The parts of a request that can be of the other space: those that refer to something, and plain values."""
    operation = endpoint.operations[verb]
    fields = operation.params.model_fields if operation.params else {}
    known = REFERENCES | fields_of(endpoint, operation)
    same = {"old_password", *_SAME, "confirmation_key" if endpoint.path.endswith("/activate/phone") else ""}
    of_path = [name for name in operation.path if name not in ("key", "code")]
    references = [*of_path, *(name for name in fields if name in known and name not in same)]
    if endpoint.path == "/sip/auth":
        references.append("query")
    return references, [name for name in fields if name in VALUES and name not in known]


def told(answer):
    return answer.text + json.dumps(dict(answer.headers))


@pytest.mark.parametrize("own_domain", [A, B])
@pytest.mark.parametrize(("endpoint", "verb"), OPERATIONS)
def test_nothing_of_one_space_is_visible_or_usable_in_the_other(shared, worlds, endpoint, verb, own_domain):
    server, operation, name = shared, endpoint.operations[verb], f"{verb.upper()} {endpoint.path}"

    references, values = parts_of(endpoint, verb)
    # Where names are taken or a token is used up, the worlds must be new; otherwise nothing happens to them.
    uses_up = operation.is_unsafe and (bool(values) or "account_creation_token" in references)

    def made(domain, *, fresh, lasts):
        return worlds[domain, fresh] if lasts else _with_new(world(server, domain), fresh=fresh)

    other = made(B if own_domain == A else A, fresh=False, lasts=not uses_up)
    own = made(own_domain, fresh=True, lasts=not uses_up)
    before = server.run(documents(server, other))
    for foreign in _combinations(references, values):
        attempt = Attempt(server, endpoint, verb, own, other, foreign)
        answer = attempt.send()
        shown = told(answer)
        assert [text for text in other.texts if text in shown and text not in attempt.sent] == [], (foreign, shown)
        assert "taken" not in shown, (foreign, shown)
        if endpoint.path.startswith(REPORTS) and (verb == "get" or not {"from", "to"} <= set(foreign)):
            assert answer.status_code == 200, (foreign, shown)
            continue
        if set(foreign) & set(references):
            assert _is_refusal(answer, name), (foreign, answer.status_code, shown)
            continue
        if "domain" not in foreign:
            assert answer.status_code == OWN.get(name, operation.status), (foreign, shown)
        own = made(own_domain, fresh=True, lasts=not uses_up)
    if endpoint.path.startswith(REPORTS):
        server.run(server.services.calls.event_log.write())
    own = made(own_domain, fresh=True, lasts=not operation.is_unsafe)
    control = Attempt(server, endpoint, verb, own, other)
    answer = control.send()
    assert answer.status_code == OWN.get(name, operation.status), f"this sweep asks wrongly: {answer.text}"
    assert [text for text in other.texts if text in told(answer)] == []
    if operation.access is not Access.PUBLIC:
        for stranger in ("person", "admin"):
            refused = control.send({**own.host, "x-api-key": other.keys[stranger]})
            assert (refused.status_code, refused.json()["message"]) == (401, "The API key is unknown or expired.")
    assert server.run(documents(server, other)) == before
    if not operation.is_unsafe and not operation.hidden:
        assert _is_the_same_beside_more(server, control, other.domain)


def _is_the_same_beside_more(server, control, domain):
    """Return whether an answer, such as a number of accounts, is the same when the other space has more in it."""
    for _ in range(2):  # the hour of statistics may end meanwhile
        before = control.send()
        world(server, domain)
        after = control.send()
        if (before.status_code, before.content) == (after.status_code, after.content):
            return True
    return False


def _combinations(references, values):
    """Each part alone, and all that refers to something together."""
    alone = [(part,) for part in (*references, *values)]
    return [*alone, tuple(references)] if len(references) > 1 else alone


def _is_refusal(answer, name):
    if name == "GET /provisioning/{provisioning_token}":
        return answer.status_code == 200 and "proxy_0" not in answer.text
    if name == "GET /sip/auth":
        return "Status: 403" in answer.text
    return answer.status_code in (401, 403, 404, 422)
