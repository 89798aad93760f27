"""The OpenAPI document and the documentation page, which are both made from the declarations."""

import hashlib
import json
import re
import shlex

import httpx
import jsonschema
import pytest
from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from flexiapi.cli import main
from flexiapi.server.routes import ENDPOINTS
from flexiapi.web.openapi import document_of
from flexiapi.web.openapi.schemas import Schemas

SHORTEST = {"username_min_length": 6, "password_min_length": 6}
DOCUMENT = document_of(ENDPOINTS, "https://accounts.example.org", SHORTEST)
ONE_TYPE = (["string"], ["integer"], ["boolean"], ["array"], ["object"])
OPERATIONS = [
    pytest.param(path, verb, operation, id=f"{verb} {path}")
    for path, verbs in DOCUMENT["paths"].items()
    for verb, operation in verbs.items()
]


def resolved(schema):
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def conforms(example, schema):
    jsonschema.validate(example, {**schema, "components": DOCUMENT["components"]}, cls=jsonschema.Draft202012Validator)


def test_the_document_is_valid():
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_every_declared_operation_is_in_the_document():
    declared = {
        (handler.path, verb)
        for handler in ENDPOINTS
        for verb, operation in handler.operations.items()
        if not operation.hidden
    }
    assert declared == {(path, verb) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_is_called(path, verb, operation):
    assert operation["summary"]
    assert operation["x-access"] in ("Public", "User", "Admin")
    assert bool(operation["security"]) == (operation["x-access"] != "Public")
    (sample,) = operation["x-codeSamples"]
    assert shlex.split(sample["source"])[0] == "curl"
    assert "https://accounts.example.org" in sample["source"]
    assert "{" not in sample["source"].partition(" -d ")[0]
    for parameter in operation["parameters"]:
        if parameter.get("in") == "path":
            assert "example" in parameter


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS)
def test_every_operation_has_an_example_that_is_right(path, verb, operation):
    success = operation["responses"][next(status for status in operation["responses"] if status < "300")]
    ((media_type, content),) = success["content"].items()
    if media_type == "image/png":
        return
    assert "example" in content
    if media_type == "application/json":
        conforms(content["example"], content["schema"])
        schema, example = resolved(content["schema"]), content["example"]
        if schema.get("type") == "array":
            schema, example = resolved(schema["items"]), example[0]
        assert set(schema.get("properties", ())) <= example.keys()
    for content in operation.get("requestBody", {}).get("content", {}).values():
        conforms(content["example"], content["schema"])


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS)
def test_every_failure_is_described_with_its_headers(path, verb, operation):
    failures = {status: found for status, found in operation["responses"].items() if status >= "400"}
    assert {"413", "500", "503"} <= failures.keys()
    for status, reference in failures.items():
        response = DOCUMENT["components"]["responses"][reference["$ref"].rpartition("/")[2]]
        assert response["description"]
        passes = path.startswith(("/contacts/vcard", "/vcards-storage")) and status in ("429", "500", "503")
        assert set(response.get("content", ())) == (set() if passes else {"application/json"})
        assert ("Retry-After" in response["headers"]) == (status in ("429", "503"))
        assert ("WWW-Authenticate" in response["headers"]) == (status == "401")
        assert ("X-RateLimit-Limit" in response["headers"]) == path.startswith("/api")


def test_failures_follow_from_the_declaration():
    responses = DOCUMENT["paths"]["/api/accounts/{id}"]["get"]["responses"]
    assert set(responses) == {"200", "401", "403", "404", "413", "422", "429", "500", "503"}
    assert set(DOCUMENT["paths"]["/api/ping"]["get"]["responses"]) == {"200", "413", "429", "500", "503"}


def test_aliases_of_parameters_are_described():
    body = DOCUMENT["paths"]["/api/accounts/{sip}/activate/phone"]["post"]["requestBody"]["content"]
    schema = body["application/json"]["schema"]
    assert schema["anyOf"] == [{"required": ["confirmation_key"]}, {"required": ["code"]}]
    assert list(body) == ["application/json"]


def test_two_schemas_of_one_name_are_refused():
    schemas = Schemas()
    schemas.of_answer(type("Same", (BaseModel,), {"__annotations__": {"a": int}, "__module__": __name__}))
    with pytest.raises(ValueError, match="two schemas are named Same"):
        schemas.of_answer(type("Same", (BaseModel,), {"__annotations__": {"b": int}, "__module__": __name__}))


def test_the_command_prints_the_document(monkeypatch):
    monkeypatch.setenv("APP_URL", "https://accounts.example.org")
    assert json.loads(CliRunner().invoke(main, ["openapi"]).output) == json.loads(json.dumps(DOCUMENT))


def test_the_server_answers_with_the_document(http, server):
    answer = http.get("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(json.dumps(document_of(ENDPOINTS, server.url, SHORTEST)))


def test_the_page_shows_every_endpoint_of_the_server(http):
    page = http.get("/api", headers={"Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=UTF-8"
    shown = http.get("/api/openapi.json").json()["paths"]
    assert http.get("/api/").text.count("<article") == sum(map(len, shown.values())) == len(OPERATIONS)
    for path, verbs in shown.items():
        for verb, operation in verbs.items():
            assert f'id="{operation["operationId"]}"' in page.text
            assert f'{verb.upper()}</span> <span class="path">{path}<' in page.text


def test_the_page_needs_nothing_from_elsewhere(http):
    page = http.get("/api")
    policy = page.headers["content-security-policy"]
    (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.text.count(f'nonce="{nonce}"') == 2
    assert re.findall(r"<(?:link|img|iframe)\b|\bsrc=|@import|\bstyle=|\bon[a-z]+=", page.text) == []
    assert nonce not in http.get("/api").text


def test_the_examples_of_the_page_name_this_server(http, server):
    page = http.get("/api").text
    assert f"curl {server.url}/api/ping" in page
    assert httpx.get(f"{server.url}/api/ping").text == "pong"


@pytest.mark.parametrize("configure", [{"app": {"dangerous_endpoints": False}}, {}])
def test_the_page_says_which_optional_endpoints_are_on(http, configure):
    text = "Not enabled on this instance" if configure else "Enabled on this instance"
    assert text in http.get("/api").text


def answer_of(verb, path):
    ((_, content),) = next(iter(DOCUMENT["paths"][path][verb]["responses"].values()))["content"].items()
    return content["example"]


@pytest.mark.parametrize(
    ("verb", "path", "activated"),
    [
        ("post", "/api/accounts/public", False),
        ("post", "/api/accounts/with-account-creation-token", False),
        ("post", "/api/accounts", False),
        ("get", "/api/accounts/{id}/deactivate", False),
        ("get", "/api/accounts/{id}/activate", True),
        ("post", "/api/accounts/{sip}/activate/email", True),
        ("get", "/api/accounts/{sip}/recover/{recover_key}", True),
        ("get", "/api/accounts/me", True),
    ],
)
def test_examples_are_active_when_accounts_are(verb, path, activated):
    assert answer_of(verb, path)["activated"] is activated


def test_the_example_of_a_creation_asks_for_what_it_gets():
    body = DOCUMENT["paths"]["/api/accounts"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert body["activated"] is answer_of("post", "/api/accounts")["activated"]


def test_flags_are_described():
    body = DOCUMENT["paths"]["/api/accounts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["activated"]["description"] == "`false` by default"
    assert "administrator" in body["properties"]["admin"]["description"]
    query = {
        field["name"]: field for field in DOCUMENT["paths"]["/api/accounts"]["get"]["parameters"] if "name" in field
    }
    assert query["activated"]["description"] == "only activated accounts, or only others"


def test_the_hash_of_the_example_is_that_of_its_password():
    account = answer_of("get", "/api/accounts/{sip}/recover/{recover_key}")
    text = f"{account['username']}:{account['domain']}:correct-horse-battery"
    ha1 = hashlib.sha256(text.encode()).hexdigest()
    assert account["passwords"] == [{"algorithm": "SHA-256", "password": ha1}]


def test_tokens_in_examples_are_those_that_are_given_out():
    token = answer_of("post", "/api/accounts/auth_token")["token"]
    given = {
        (path, parameter["name"]): parameter["example"]
        for path, verbs in DOCUMENT["paths"].items()
        for parameter in verbs.get("get", {}).get("parameters", ())
        if parameter.get("in") == "path"
    }
    assert {example for (_, name), example in given.items() if name == "auth_token"} == {token}
    assert len(token) == 32
    assert re.fullmatch("[0-9]{4}", given["/api/accounts/{sip}/recover/{recover_key}", "recover_key"])
    assert given["/provisioning/{provisioning_token}", "provisioning_token"] == "7Ma0JzRtWg3kP"


def fields(schema, place="#"):
    """Return every schema in a part of the document with its place."""
    if isinstance(schema, dict):
        yield place, schema
        for name, part in schema.items():
            if name not in ("example", "examples"):
                yield from fields(part, f"{place}/{name}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from fields(part, f"{place}/{number}")


@pytest.mark.parametrize(("path", "verb", "operation"), OPERATIONS)
class TestEveryParameter:
    """Generators of clients and their users depend on each of these."""

    def parameters(self, operation):
        for parameter in operation["parameters"]:
            if "name" in parameter:
                yield parameter["name"], parameter["schema"], parameter["description"], parameter["required"]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            schema = content["schema"]
            for name, field in schema["properties"].items():
                yield name, field, field.get("description"), name in schema.get("required", ())

    def test_is_described_and_has_one_type(self, path, verb, operation):
        for name, schema, description, _ in self.parameters(operation):
            assert description, name
            assert "anyOf" not in schema, name
            kind = schema["type"]
            kinds = [kind] if isinstance(kind, str) else kind
            assert [one for one in kinds if one != "null"] in ONE_TYPE, name

    def test_has_an_example(self, path, verb, operation):
        for parameter in operation["parameters"]:
            assert "$ref" in parameter or parameter.get("example") is not None, parameter["name"]
        for name, schema, _, _ in self.parameters(operation):
            if name in [parameter.get("name") for parameter in operation["parameters"]]:
                continue
            assert schema.get("examples") or schema.get("type") == "boolean" or "boolean" in schema["type"], name

    def test_a_required_text_cannot_be_empty(self, path, verb, operation):
        for name, schema, _, is_required in self.parameters(operation):
            if is_required and schema["type"] == "string":
                assert schema.get("minLength") or schema.get("pattern") or schema.get("enum"), name

    def test_patterns_fit_their_examples(self, path, verb, operation):
        for name, schema, _, _ in self.parameters(operation):
            for example in schema.get("examples", ()):
                assert re.search(schema.get("pattern", ""), str(example)), name


def test_null_is_never_the_only_type():
    for place, schema in fields(DOCUMENT["components"]):
        if not place.rpartition("/")[0].endswith("/anyOf"):
            assert schema.get("type") != "null", place


def test_flags_are_booleans_and_nothing_else():
    flags = [
        (place, schema)
        for place, schema in fields(DOCUMENT)
        if place.rpartition("/")[2] in ("activated", "admin") and "properties" in place
    ]
    assert len(flags) > 5
    for place, schema in flags:
        if "$ref" not in json.dumps(schema):
            assert schema["type"] in ("boolean", ["boolean", "null"]), place
            assert "enum" not in schema


@pytest.mark.parametrize(
    ("verb", "path", "name", "words"),
    [
        ("post", "/api/accounts", "confirmation_key_expires", "Only used when `activated` is not used or `false`"),
        ("post", "/api/accounts", "confirmation_key_expires", "activation endpoints will return `403`"),
        ("post", "/api/accounts", "email", "must be unique if"),
        ("post", "/api/accounts", "domain", "`app.admins_manage_multi_domains`"),
        ("post", "/api/accounts", "phone", "phone number"),
        ("post", "/api/accounts/public", "email", "optional if `phone` is set"),
        ("post", "/api/accounts/public", "domain", "if not set, the default registration domain"),
        ("post", "/api/accounts/public", "phone", "required if `username` is not set, optional if `email` is set"),
        ("post", "/api/accounts/recover-by-phone", "phone", "to send the SMS to"),
        ("post", "/api/accounts/me/email/request", "email", "the new e-mail address, must be unique if"),
    ],
)
def test_the_sentences_of_the_original_document_are_kept(verb, path, name, words):
    body = DOCUMENT["paths"][path][verb]["requestBody"]["content"]["application/json"]["schema"]
    assert words in body["properties"][name]["description"]


def test_least_lengths_are_those_of_the_settings():
    document = document_of(ENDPOINTS, "", {"username_min_length": 9, "password_min_length": 12})
    body = document["paths"]["/api/accounts/public"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["username"]["minLength"] == 9
    assert body["properties"]["password"]["minLength"] == 12
    assert "x-shortest" not in json.dumps(document)
