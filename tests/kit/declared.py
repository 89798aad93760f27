"""Holds every answer of a test's server against the declaration of its endpoint."""

from flexiapi.errors import ApiError
from flexiapi.web.openapi.failures import failures_of
from flexiapi.web.replies import Json
from tests.kit.waiting import wait_for

_PLAIN_METHODS = ("OPTIONS", "HEAD")


class Declared:
    """Notes what no declaration promises. A test that provokes such a thing empties `surprises` afterwards."""

    def __init__(self):
        self.surprises = []

    def forget_one(self):
        """Empty the list once it has what the test provoked; a request is noted just after its answer."""
        wait_for(lambda: self.surprises)
        self.surprises.clear()

    def watch(self, application):
        """Look at each answer of the application."""

        def look(handler):
            endpoint = handler.endpoint
            self.surprises += [f"{handler.request.method} {endpoint.path}: {found}" for found in _surprises(handler)]

        application.log_request = look


def _surprises(handler):
    endpoint, method, status = handler.endpoint, handler.request.method, handler.get_status()
    stream = getattr(handler.request.connection, "stream", None)
    if stream is None or not stream.closed():
        yield from _of_body(handler, method, status)
    operation = endpoint.operations.get("get" if method == "HEAD" else (method or "").lower())
    if operation is None:
        return
    if endpoint.failure is not None:
        if not _is_declared(endpoint.failure, failures_of(endpoint.path, operation)):
            yield f"{type(endpoint.failure).__name__} ({status}) is not declared"
    elif status == 500 or (status > 500 and not operation.hidden):
        yield f"{status} without a declared failure"
    elif status != operation.status and not operation.hidden and method != "HEAD":
        yield f"{status} is not the declared status {operation.status}"


def _is_declared(error, failures):
    named = tuple(failure for failure in failures if failure is not ApiError)
    return isinstance(error, named) or type(error) is ApiError


def _of_body(handler, method, status):
    content_type = handler._headers.get("Content-Type")
    if content_type is None:
        yield f"{status} without a media type"
    if status >= 400 and content_type != Json.content_type and not content_type.startswith("text/html"):
        yield f"{status} with media type {content_type}"
    if method in _PLAIN_METHODS:
        return
    has_body = handler._headers.get("Content-Length", "0") != "0"
    if has_body == (status in handler.endpoint.statuses_without_body):
        yield f"{status} with a body" if has_body else f"{status} without a body"
