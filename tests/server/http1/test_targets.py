"""Methods and targets that are not everyday ones."""

import pytest

from tests.server.http1.refused import GOOD, get, post
from tests.server.http1.sites import KINDS, OURS, TORNADO, Pages, run, running
from tests.server.http1.verdicts import check_refusal
from tests.server.http1.wire import asked

UTF8 = "/\u00e9/\u65e5\u672c?\u00e9=\u00e9".encode()


def answered(raw, kind=OURS):
    async def test():
        pages = Pages()
        async with running(kind, pages) as address:
            answers, kept = await asked(address, raw)
        return answers, kept, pages.seen

    return run(test)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "method",
    [b"BREW", b"get", b"PROPFIND", b"M-SEARCH", b"QUERY", b"X", b"PRI", b"DESCRIBE", b"SOURCE", b"!#$%&'*+-.^_`|~"],
)
def test_an_unknown_method_is_405_and_no_request_hides_in_its_body(method, kind):
    hidden = post(b"Content-Length: %d" % len(GOOD), body=GOOD).replace(b"POST", method)
    answers, kept, seen = answered(hidden + GOOD, kind)
    assert answers[0].status == 405
    assert [answer.json["uri"] for answer in answers[1:]] == (["/next"] if kept else [])
    assert len(seen) == len(answers) - 1 + kept


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", [b"example.org:443", b"/x", b"http://localhost/"])
def test_connect_opens_no_tunnel(target, kind):
    answers, kept, _ = answered(b"CONNECT " + target + b" HTTP/1.1\r\nHost: example.org:443\r\n\r\n" + GOOD, kind)
    assert answers[0].status in (400, 405)
    assert [answer.json["uri"] for answer in answers[1:]] == (["/next"] if kept else [])


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        (b"http://localhost/x?a=b", "/x?a=b"),
        (b"HTTP://LOCALHOST/x", "/x"),
        (b"https://localhost/x", "/x"),
        (b"http://localhost", "/"),
        (b"http://localhost?a=b", "/?a=b"),
        (b"http://localhost/http://other/", "/http://other/"),
    ],
)
def test_an_absolute_target_is_its_path(target, uri):
    answers, kept, _ = answered(get(target=target))
    assert kept
    assert [answer.json["uri"] for answer in answers] == [uri]
    assert answers[0].json["argument"] == uri.partition("?")[0]


@pytest.mark.security
def test_the_host_of_an_absolute_target_is_the_one_that_counts():
    answers, _, seen = answered(get(target=b"http://other:80/x"))
    if answers[0].status == 400:
        check_refusal(answers[0])
        assert seen == []
    else:
        assert dict(answers[0].json["headers"])["Host"] == "other:80"


@pytest.mark.security
@pytest.mark.parametrize(
    "target",
    [
        b"http://",
        b"http:///x",
        b"http:/x",
        b"http:x",
        b"http://user@localhost/x",
        b"http://a,b/x",
        b"http://\xe9/x",
        b"x",
        b"localhost:80",
        b"?a=b",
    ],
)
def test_a_target_that_is_neither_a_path_nor_absolute_is_refused(target):
    answers, kept, seen = answered(get(target=target))
    assert [answer.status for answer in answers] == [400]
    check_refusal(answers[0])
    assert (kept, seen) == (False, [])


@pytest.mark.parametrize(
    "target", [b"/%C3%A9", b"/%c3%a9", b"/%2F%2e%00", b"/a%20b+c", b"/%", b"/%zz", b"/a;b=c", b"//x", UTF8]
)
def test_targets_reach_the_application_as_on_tornado(target):
    ours, theirs = (answered(get(target=target), kind)[0] for kind in (OURS, TORNADO))
    assert [answer.status for answer in ours] == [answer.status for answer in theirs]
    if ours[0].status == 200:
        assert (ours[0].json["uri"], ours[0].json["argument"]) == (theirs[0].json["uri"], theirs[0].json["argument"])
