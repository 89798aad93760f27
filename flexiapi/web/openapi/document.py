"""The builder of the API document."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from flexiapi import __version__
from flexiapi.errors import SignInRequired, TooManyRequests, Unavailable, ValidationFailed
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.openapi import components
from flexiapi.web.openapi.curl import curl, target_of
from flexiapi.web.openapi.failures import Failure, failures_of
from flexiapi.web.openapi.schemas import Examples, Schema, Schemas, alternatives
from flexiapi.web.operation import Access, Operation, Upload

_JSON = "application/json"
_IN_QUERY = ("get", "delete")

_ABOUT = """An API to deal with the Flexisip server: SIP accounts and the provisioning of their devices.

Endpoints are for the public, for users (any account that signs in) or for administrators. Sign in with an API key
(header or cookie `x-api-key`) or with DIGEST (MD5 or SHA-256), which a `From` header with the SIP address starts."""


def document_of(
    endpoints: Iterable[type[Endpoint]], url: str, shortest: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the document for a server at `url`, without the operations that are declared as hidden.

    `shortest` has the least lengths of texts by the name of their setting.
    """
    return OpenApiDocument(url, shortest).of([endpoint for endpoint in endpoints if any(_shown(endpoint))])


def _shown(endpoint: type[Endpoint]) -> Iterator[tuple[str, Operation]]:
    return ((verb, operation) for verb, operation in endpoint.operations.items() if not operation.hidden)


class OpenApiDocument:
    """Builder of the document of a server at `url`."""

    def __init__(self, url: str, shortest: Mapping[str, int]) -> None:
        self._url = url
        self._schemas = Schemas(shortest)
        self._schemas.definitions.update(components.SCHEMAS)
        self._examples = Examples(self._schemas)
        self._responses: dict[str, Any] = {}

    def of(self, endpoints: list[type[Endpoint]]) -> dict[str, Any]:
        """Return the document of these endpoints."""
        for endpoint in endpoints:
            for _, operation in _shown(endpoint):
                if operation.params is not None:
                    self._examples.learn(self._schemas.of_params(operation.params))
        paths = {endpoint.path: self._path(endpoint) for endpoint in endpoints}
        return {
            "openapi": "3.1.0",
            "info": {"title": "flexiapi", "version": __version__, "description": _ABOUT},
            "servers": [{"url": self._url}],
            "tags": list({tag["name"]: tag for tag in map(_tag, endpoints)}.values()),
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self._schemas.definitions.items())),
                "responses": dict(sorted(self._responses.items())),
                "headers": components.HEADERS,
                "parameters": {"From": components.FROM},
                "securitySchemes": components.SECURITY_SCHEMES,
            },
        }

    def _path(self, endpoint: type[Endpoint]) -> dict[str, Any]:
        return {verb: self._operation(endpoint, operation) for verb, operation in _shown(endpoint)}

    def _operation(self, endpoint: type[Endpoint], operation: Operation) -> dict[str, Any]:
        schema = self._schemas.of_params(operation.params) if operation.params is not None else None
        in_query = operation.verb in _IN_QUERY
        parameters = [*_path_parameters(operation), *(self._query(schema) if schema and in_query else ())]
        if operation.access is not Access.PUBLIC:
            parameters.append({"$ref": "#/components/parameters/From"})
        described: dict[str, Any] = {
            "operationId": operation.verb + endpoint.__name__.removesuffix("Endpoint"),
            "tags": [_tag(endpoint)["name"]],
            "summary": operation.summary,
            "description": _description(operation),
            "x-access": operation.access.value,
            "x-scopes": [scope.value for scope in operation.scopes],
            "x-optional": operation.switch is not None,
            "x-failures": _own_failures(operation),
            "security": _security(operation),
            "parameters": parameters,
        }
        if schema and not in_query:
            described["requestBody"] = self._body(schema)
        if operation.upload is not None:
            described["requestBody"] = _form(operation.upload)
        described["responses"] = {
            **{str(status): self._success(endpoint.path, operation) for status in operation.statuses},
            **self._failures(endpoint, operation),
        }
        described["x-codeSamples"] = [self._sample(endpoint.path, operation, schema)]
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
            # Forms are read too. Named here, they make openapi-python-client send JSON and call it a form.
            "content": {_JSON: content},
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

    def _failures(self, endpoint: type[Endpoint], operation: Operation) -> dict[str, Any]:
        by_status: dict[int, list[Failure]] = {}
        for failure in failures_of(endpoint.path, operation):
            by_status.setdefault(failure.status, []).append(failure)
        return {str(status): self._failure(endpoint, failures) for status, failures in by_status.items()}

    def _failure(self, endpoint: type[Endpoint], failures: list[Failure]) -> dict[str, Any]:
        """Return a reference to the response that describes these failures."""
        path, has_body = endpoint.path, failures[0].status not in endpoint.statuses_without_body
        name = "Or".join(failure.__name__ for failure in failures) + ("" if path.startswith("/api") else "OutsideApi")
        name += "" if has_body else "WithoutBody"
        self._responses[name] = {
            "description": _told(failures) + ("" if has_body else " The answer has no body."),
            "headers": _references([*_common_headers(path), *_headers_of(failures)]),
        }
        if has_body:
            self._responses[name]["content"] = {_JSON: _failure_content(failures)}
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
            "source": curl(
                url,
                operation.verb,
                operation.access,
                None if in_query else body,
                sends_file=operation.upload is not None,
            ),
        }


def _form(upload: Upload) -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": "application/octet-stream", "description": upload.description}
    schema = {"type": "object", "required": ["file"], "properties": {"file": file}}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema, "example": {"file": "RIFF"}}}}


def _tag(endpoint: type[Endpoint]) -> dict[str, str]:
    name = endpoint.__module__.rpartition(".")[2].replace("_", " ")
    return {"name": name[0].upper() + name[1:], "description": (sys.modules[endpoint.__module__].__doc__ or "").strip()}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    return [] if operation.access is Access.PUBLIC else [{name: []} for name in components.SECURITY_SCHEMES]


def _description(operation: Operation) -> str:
    if not operation.scopes:
        return operation.description or operation.summary
    scopes = " or ".join(f"`{scope.value}`" for scope in operation.scopes)
    return f"{operation.description}\n\nIt is open to a named API key with the scope {scopes}.".strip()


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
