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
        start, observe = application.start_request, application.context.observe

        def watched(server_conn, request_conn):
            return start(server_conn, NotedAnswer(request_conn))

        def look(exchange, status, seconds):
            observe(exchange, status, seconds)
            answer = exchange.request.connection
            self.surprises += [
                f"{exchange.request.method} {exchange.path}: {one}" for one in _surprises(exchange, answer)
            ]

        application.start_request, application.context.observe = watched, look


class NotedAnswer:
    """The connection of a request, with the status and headers that were written to it."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def write_headers(self, start_line, headers, chunk=None):
        self.status, self.headers = start_line.code, headers
        return self._connection.write_headers(start_line, headers, chunk)


def _surprises(exchange, answer):
    method, status = exchange.request.method, answer.status
    yield from _of_body(exchange, method, answer)
    operation = exchange.operations.get("get" if method == "HEAD" else method.lower())
    if operation is None:
        return
    if exchange.failure is not None:
        # Pages are not in the document: they show any failure.
        if not operation.hidden and not _is_declared(exchange.failure, failures_of(exchange.path, operation)):
            yield f"{type(exchange.failure).__name__} ({status}) is not declared"
    elif status == 500 or (status > 500 and not operation.hidden):
        yield f"{status} without a declared failure"
    elif status not in _statuses_of(operation) and not operation.hidden and method != "HEAD":
        yield f"{status} is not the declared status {operation.status}"


def _statuses_of(operation):
    """The statuses of success; `operation.statuses` would count as a file that every request enters."""
    return (operation.status, *(operation.reply.other_statuses if operation.reply else ()))


def _is_declared(error, failures):
    named = tuple(failure for failure in failures if failure is not ApiError)
    return isinstance(error, named) or type(error) is ApiError


def _of_body(exchange, method, answer):
    status, content_type = answer.status, answer.headers.get("Content-Type")
    if content_type is None:
        yield f"{status} without a media type"
    if status >= 400 and content_type != Json.content_type and not content_type.startswith("text/html"):
        yield f"{status} with media type {content_type}"
    if method in _PLAIN_METHODS:
        return
    has_body = answer.headers.get("Content-Length", "0") != "0"
    if has_body == (status in exchange.statuses_without_body or status == 303):
        yield f"{status} with a body" if has_body else f"{status} without a body"
