"""The OpenAPI 3.1 document, derived from the declarations."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flexiapi import __version__
from flexiapi.errors import SignInRequired, TooManyRequests, Unavailable, ValidationFailed
from flexiapi.web.curl import curl, target_of
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.failures import Failure, failures_of
from flexiapi.web.operation import Access, Operation
from flexiapi.web.schemas import Examples, Schema, Schemas, alternatives

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_IN_QUERY = ("get", "delete")

_ABOUT = """An API to deal with the Flexisip server: SIP accounts and the provisioning of their devices.

Endpoints are for the public, for users (any account that signs in) or for administrators. Sign in with an API key
(header or cookie `x-api-key`) or with DIGEST (MD5 or SHA-256), which a `From` header with the SIP address starts."""

_SECURITY_SCHEMES = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The account's API key."},
    "apiKeyCookie": {"type": "apiKey", "in": "cookie", "name": "x-api-key", "description": "The same as a cookie."},
    "digest": {
        "type": "http",
        "scheme": "digest",
        "description": "RFC 7616, algorithms MD5 and SHA-256, `qop=auth`; the `From` header names the account.",
    },
}
_FROM = {
    "name": "From",
    "in": "header",
    "required": False,
    "description": "The SIP address of the account that signs in with DIGEST; not needed with an API key.",
    "schema": {"type": "string"},
    "example": "sip:alice.martin@sip.example.org",
}
_WHOLE_NUMBER = {"type": "integer", "minimum": 0}
_HEADERS = {
    "X-Request-Id": {"description": "Names the request in the server's log.", "schema": {"type": "string"}},
    "X-RateLimit-Limit": {"description": "Requests per minute and IP address.", "schema": _WHOLE_NUMBER},
    "X-RateLimit-Remaining": {"description": "How many of them are left.", "schema": _WHOLE_NUMBER},
    "X-RateLimit-Reset": {"description": "When the limit starts anew, as a Unix time.", "schema": _WHOLE_NUMBER},
    "Retry-After": {"description": "When to try again, in seconds.", "schema": _WHOLE_NUMBER},
    "WWW-Authenticate": {
        "description": "A DIGEST challenge, one header per algorithm; none for a wrong API key.",
        "schema": {"type": "string"},
    },
}
_MESSAGE = {"type": "string", "description": "Says what went wrong; may be shown to users."}
_ERROR = {"type": "object", "required": ["message"], "properties": {"message": _MESSAGE}}
_VALIDATION_ERROR = {
    "type": "object",
    "required": ["message", "errors"],
    "properties": {
        "message": _MESSAGE,
        "errors": {
            "type": "object",
            "description": "By parameter, all that is wrong with it.",
            "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        },
    },
}
_EMPTY = {"type": "object", "description": "Nothing is to be said: `{}`."}


def document_of(handlers: Iterable[type[Endpoint]], url: str) -> dict[str, Any]:
    """Return the document for a server at `url`, without the operations that are declared as hidden."""
    return OpenApiDocument(url).of([handler for handler in handlers if any(_shown(handler))])


def _shown(handler: type[Endpoint]) -> Iterator[tuple[str, Operation]]:
    return ((verb, operation) for verb, operation in handler.operations.items() if not operation.hidden)


class OpenApiDocument:
    """Builder of the document of a server at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._schemas = Schemas()
        self._schemas.definitions.update(Error=_ERROR, ValidationError=_VALIDATION_ERROR, Nothing=_EMPTY)
        self._examples = Examples(self._schemas)
        self._responses: dict[str, Any] = {}

    def of(self, handlers: list[type[Endpoint]]) -> dict[str, Any]:
        """Return the document of these endpoints."""
        for handler in handlers:
            for _, operation in _shown(handler):
                if operation.params is not None:
                    self._examples.learn(self._schemas.of_params(operation.params))
        paths = {handler.path: self._path(handler) for handler in handlers}
        return {
            "openapi": "3.1.0",
            "info": {"title": "flexiapi", "version": __version__, "description": _ABOUT},
            "servers": [{"url": self._url}],
            "tags": list({tag["name"]: tag for tag in map(_tag, handlers)}.values()),
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self._schemas.definitions.items())),
                "responses": dict(sorted(self._responses.items())),
                "headers": _HEADERS,
                "parameters": {"From": _FROM},
                "securitySchemes": _SECURITY_SCHEMES,
            },
        }

    def _path(self, handler: type[Endpoint]) -> dict[str, Any]:
        return {verb: self._operation(handler, operation) for verb, operation in _shown(handler)}

    def _operation(self, handler: type[Endpoint], operation: Operation) -> dict[str, Any]:
        schema = self._schemas.of_params(operation.params) if operation.params is not None else None
        in_query = operation.verb in _IN_QUERY
        parameters = [*_path_parameters(operation), *(self._query(schema) if schema and in_query else ())]
        if operation.access is not Access.PUBLIC:
            parameters.append({"$ref": "#/components/parameters/From"})
        described: dict[str, Any] = {
            "operationId": operation.verb + handler.__name__.removesuffix("Endpoint"),
            "tags": [_tag(handler)["name"]],
            "summary": operation.summary,
            "description": operation.description or operation.summary,
            "x-access": operation.access.value,
            "x-optional": operation.switch is not None,
            "x-failures": _own_failures(operation),
            "security": [] if operation.access is Access.PUBLIC else [{name: []} for name in _SECURITY_SCHEMES],
            "parameters": parameters,
        }
        if schema and not in_query:
            described["requestBody"] = self._body(schema)
        described["responses"] = {
            str(operation.status): self._success(handler.path, operation),
            **self._failures(handler.path, operation),
        }
        described["x-codeSamples"] = [self._sample(handler.path, operation, schema)]
        return described

    def _query(self, schema: Schema) -> Iterator[dict[str, Any]]:
        for name, field in schema["properties"].items():
            plain, _ = alternatives(field)
            yield {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": plain.get("description", ""),
                "schema": {key: value for key, value in plain.items() if key not in ("anyOf", "default")},
                "example": self._examples.of(field, name),
            }

    def _body(self, schema: Schema) -> dict[str, Any]:
        example = self._examples.of(schema)
        content = {"schema": schema, "example": example}
        return {
            "required": bool(schema.get("required") or "anyOf" in schema),
            "content": {_JSON: content, _FORM: content},
        }

    def _success(self, path: str, operation: Operation) -> dict[str, Any]:
        return {
            "description": "Success.",
            "headers": _references(_common_headers(path)),
            "content": {operation.media_type: self._content(operation)},
        }

    def _content(self, operation: Operation) -> dict[str, Any]:
        schema = self._answer_schema(operation)
        content: dict[str, Any] = {"schema": schema} if schema is not None else {}
        if operation.example is not None:
            content["example"] = operation.example
        elif schema is not None and operation.media_type == _JSON:
            content["example"] = self._examples.of(schema)
        return content

    def _answer_schema(self, operation: Operation) -> Schema | None:
        media_type = operation.media_type
        if operation.answer is not None:
            return self._schemas.of_answer(operation.answer)
        if media_type == _JSON:
            return {"$ref": "#/components/schemas/Nothing"} if operation.reply is None else {"type": "object"}
        return {"type": "string"} if media_type.startswith("text/") else None

    def _failures(self, path: str, operation: Operation) -> dict[str, Any]:
        by_status: dict[int, list[Failure]] = {}
        for failure in failures_of(path, operation):
            by_status.setdefault(failure.status, []).append(failure)
        return {str(status): self._failure(path, failures) for status, failures in by_status.items()}

    def _failure(self, path: str, failures: list[Failure]) -> dict[str, Any]:
        """Return a reference to the response that describes these failures."""
        name = "Or".join(failure.__name__ for failure in failures) + ("" if path.startswith("/api") else "OutsideApi")
        self._responses[name] = {
            "description": _told(failures),
            "headers": _references([*_common_headers(path), *_headers_of(failures)]),
            "content": {_JSON: _failure_content(failures)},
        }
        return {"$ref": f"#/components/responses/{name}"}

    def _sample(self, path: str, operation: Operation, schema: Schema | None) -> dict[str, Any]:
        body = self._examples.of(schema) if schema else None
        in_query = operation.verb in _IN_QUERY
        needed = (schema or {}).get("required", ())
        query = {name: body[name] for name in needed} if in_query and body else {}
        url = self._url + target_of(path, operation, query)
        return {
            "lang": "Shell",
            "label": "curl",
            "source": curl(url, operation.verb, operation.access, None if in_query else body),
        }


def _tag(handler: type[Endpoint]) -> dict[str, str]:
    name = handler.__module__.rpartition(".")[2].replace("_", " ")
    return {"name": name[0].upper() + name[1:], "description": (sys.modules[handler.__module__].__doc__ or "").strip()}


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, parameter in operation.path.items():
        is_number = parameter.convert is int
        example = parameter.segment.example
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": parameter.segment.description,
            "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
            if is_number
            else {"type": "string", "pattern": f"^{parameter.segment.pattern}$"},
            "example": int(example) if is_number else example,
        }


def _common_headers(path: str) -> list[str]:
    return ["X-Request-Id", *(("X-RateLimit-Limit", "X-RateLimit-Remaining") if path.startswith("/api") else ())]


def _headers_of(failures: list[Failure]) -> Iterator[str]:
    if any(issubclass(failure, SignInRequired) for failure in failures):
        yield "WWW-Authenticate"
    if any(issubclass(failure, TooManyRequests) for failure in failures):
        yield from ("Retry-After", "X-RateLimit-Reset")
    if any(issubclass(failure, Unavailable) for failure in failures):
        yield "Retry-After"


def _references(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _failure_content(failures: list[Failure]) -> Mapping[str, Any]:
    is_validation = any(issubclass(failure, ValidationFailed) for failure in failures)
    if is_validation:
        value = {"message": "phone is missing", "errors": {"phone": ["phone is missing"]}}
        return {"schema": {"$ref": "#/components/schemas/ValidationError"}, "example": value}
    examples = {failure.__name__: {"value": {"message": failure.message}} for failure in failures}
    return {"schema": {"$ref": "#/components/schemas/Error"}, "examples": examples}


def _told(failures: Iterable[Failure]) -> str:
    return " ".join(dict.fromkeys(failure.message for failure in failures))


def _own_failures(operation: Operation) -> dict[str, str]:
    """Return the messages of the failures that are particular to this operation, by status."""
    own = [*operation.raises]
    own += [ValidationFailed] if operation.params is not None else []
    own += [operation.switch.off] if operation.switch is not None else []
    statuses = sorted({failure.status for failure in own})
    return {str(status): _told(failure for failure in own if failure.status == status) for status in statuses}
