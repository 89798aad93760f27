"""The components that every API document has: sign-in, headers, errors."""

from typing import Any

_API_KEY = "The account's API key, or a named one that begins with `fxk_` where its scope is told."
SECURITY_SCHEMES = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": _API_KEY},
    "apiKeyCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "x-api-key",
        "description": "The account's API key as a cookie.",
    },
    "digest": {
        "type": "http",
        "scheme": "digest",
        "description": "RFC 7616, algorithms MD5 and SHA-256, `qop=auth`; the `From` header names the account.",
    },
}
FROM = {
    "name": "From",
    "in": "header",
    "required": False,
    "description": "The SIP address of the account that signs in with DIGEST; not needed with an API key.",
    "schema": {"type": "string"},
    "example": "sip:alice.martin@sip.example.org",
}
_WHOLE_NUMBER = {"type": "integer", "minimum": 0}
HEADERS = {
    "X-Request-Id": {"description": "The id of the request in the server's log.", "schema": {"type": "string"}},
    "X-RateLimit-Limit": {"description": "Requests per minute and IP address.", "schema": _WHOLE_NUMBER},
    "X-RateLimit-Remaining": {"description": "Requests left in the current minute.", "schema": _WHOLE_NUMBER},
    "X-RateLimit-Reset": {"description": "Unix time at which the limit is reset.", "schema": _WHOLE_NUMBER},
    "Retry-After": {"description": "Seconds to wait before the next try.", "schema": _WHOLE_NUMBER},
    "WWW-Authenticate": {
        "description": "A DIGEST challenge, one header per algorithm; none for a wrong API key.",
        "schema": {"type": "string"},
    },
}
_MESSAGE = {"type": "string", "description": "The error message. It may be shown to users."}
_ERROR = {"type": "object", "required": ["message"], "properties": {"message": _MESSAGE}}
_VALIDATION_ERROR = {
    "type": "object",
    "required": ["message", "errors"],
    "properties": {
        "message": _MESSAGE,
        "errors": {
            "type": "object",
            "description": "The errors of each invalid parameter.",
            "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        },
    },
}
_EMPTY = {"type": "object", "description": "An empty object, `{}`."}

SCHEMAS: dict[str, dict[str, Any]] = {"Error": _ERROR, "ValidationError": _VALIDATION_ERROR, "Nothing": _EMPTY}
