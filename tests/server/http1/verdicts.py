"""Comparison of what was answered with what a vector says."""

import json

from tests.server.http1.refused import Refused

CLOSING = "close"


def check(vector, answers, kept):
    """Fail unless the answers are those that the vector demands."""
    (check_refused if isinstance(vector, Refused) else check_accepted)(vector, answers, kept)


def check_refused(vector, answers, kept):
    """Fail unless the one answer is a complete refusal, after which the connection was closed."""
    assert [answer.status for answer in answers] == [vector.status], (vector.name, answers[:3])
    assert not kept, vector.name
    check_refusal(answers[0])


def check_refusal(answer):
    """Fail unless this is a JSON answer with a message, which says that the connection closes."""
    assert answer.headers["content-type"].startswith("application/json"), answer
    assert answer.headers["connection"].lower() == CLOSING, answer
    assert int(answer.headers["content-length"]) == len(answer.body), answer
    message = json.loads(answer.body)
    assert list(message) == ["message"], answer
    assert isinstance(message["message"], str), answer
    assert message["message"], answer
    assert answer.before == [], answer


def check_accepted(vector, answers, kept):
    """Fail unless the application has seen all requests of the vector, and nothing else."""
    assert len(answers) == len(vector.answers), (vector.name, answers[:5])
    for answer, expected in zip(answers, vector.answers, strict=True):
        if isinstance(expected, int):
            assert answer.status == expected, (vector.name, answer)
            continue
        assert answer.status == 200, (vector.name, answer)
        seen = answer.json
        for name, value in expected.items():
            check_part(vector, name, seen, value)
        present = {name.lower() for name, _ in seen["headers"]}
        assert present.isdisjoint(name.lower() for name in vector.absent), (vector.name, seen)
    assert kept == vector.kept, vector.name
    closing = [answer.headers.get("connection", "").lower() == CLOSING for answer in answers]
    if any(answer.get("version") == "HTTP/1.0" for answer in vector.answers if isinstance(answer, dict)):
        return
    assert closing == [False] * (len(closing) - 1) + [not vector.kept], (vector.name, answers)


def check_part(vector, name, seen, value):
    """Fail unless this part of the request is as expected; of headers only those that the vector names."""
    if name != "headers":
        assert seen[name] == value, (vector.name, seen)
        return
    present = [(name.lower(), text) for name, text in seen["headers"]]
    for header, text in value.items():
        assert ",".join(found for name, found in present if name == header.lower()) == text, (vector.name, seen)
