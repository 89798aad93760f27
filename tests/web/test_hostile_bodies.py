"""The event loop is held up only shortly by any body: reading one takes time in proportion to its size."""

import json
import time

import pytest

from flexiapi.api.sign_up import PublicSignUp
from flexiapi.errors import ApiError
from flexiapi.model import Spaces
from flexiapi.services.names import NameRules
from flexiapi.settings import Settings
from flexiapi.web.parameters import Validated, read

pytestmark = pytest.mark.security

SMALL, LARGE = 16 * 1024, 64 * 1024
RULES = NameRules(Spaces.of(Settings()).default)
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
# Each is repeated as often as the body has room for it.
BODIES = {
    "lists in lists": ("[", "", JSON),
    "objects in objects": ('{"a":', "", JSON),
    "numbers": ('{"a":[', "1,", JSON),
    "long numbers": ('{"a":[', f"{'9' * 999},", JSON),
    "one long number": ('{"a":', "9", JSON),
    "one long fraction": ('{"a":0.', "9", JSON),
    "escapes": ('{"username":"', "\\u00e9", JSON),
    "blanks": ('{"username":"', " ", JSON),
    "a name": ('{"username":"', "a.", JSON),
    "an address": ('{"email":"', "a@", JSON),
    "a domain": ('{"domain":"', "a-", JSON),
    "a number": ('{"phone":"+', "1", JSON),
    "a password": ('{"password":"', "x", JSON),
    "a form": ("", "a=b&", FORM),
    "a form with escapes": ("username=", "%41", FORM),
}
ENDS = {"": "", "[": "0]}", "+": '"}', '"': '"}', ":": "}", ".": "}"}


def body_of(name, size):
    start, piece, kind = BODIES[name]
    end = "" if kind == FORM or not piece else ENDS[start[-1]]
    body = (start or piece) + (piece or start) * (size // len(piece or start))
    return body.encode()[: size - 4] + end.encode(), kind


def keys(size):
    return json.dumps({f"{number:06x}": 0 for number in range(size // 13)}).encode(), JSON


def seconds(body, kind):
    """The processor time that reading takes, in seconds, at its best of several times."""
    times = []
    for _ in range(5):
        began = time.thread_time()
        try:
            raw, errors = read(PublicSignUp, body, kind, "")
            Validated(PublicSignUp, raw, RULES, errors)
        except ApiError:
            pass
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize("name", [*BODIES, "keys"])
def test_no_body_takes_more_than_its_size_explains(name):
    small, large = (seconds(*(keys(size) if name == "keys" else body_of(name, size))) for size in (SMALL, LARGE))
    # Four times the size would take sixteen times as long if anything were quadratic. What is below 2 ms is noise.
    assert large < 9 * max(small, 0.002), f"{small:.4f} s, then {large:.4f} s"
