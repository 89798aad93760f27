"""Routing: which endpoint a path has, and paths that two would have."""

from typing import Annotated

import pytest

from flexiapi.web.endpoint import Endpoint, endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.routing import Routes

Number = Annotated[int, Segment("[0-9]+", "12")]
Word = Annotated[str, Segment(".+", "word")]


class Me(Endpoint):
    path = "/things/me"

    @endpoint(Access.PUBLIC)
    async def get(self) -> None:
        """Say nothing."""


class ByNumber(Endpoint):
    path = "/things/{number}"

    @endpoint(Access.PUBLIC)
    async def get(self, number: Number) -> None:
        """Say nothing."""


class ByWord(Endpoint):
    path = "/things/{word}/parts"

    @endpoint(Access.PUBLIC)
    async def get(self, word: Word) -> None:
        """Say nothing."""


@pytest.mark.parametrize("handlers", [(Me, ByNumber, ByWord), (ByWord, ByNumber, Me)])
def test_literal_segments_win_and_order_does_not_matter(handlers):
    routes = Routes(handlers)
    assert routes.find("/things/me") == (Me, {})
    assert routes.find("/things/12/") == (ByNumber, {"number": "12"})
    assert routes.find("/things/me/parts") == (ByWord, {"word": "me"})
    assert routes.find("/things/a%40b/parts") == (ByWord, {"word": "a@b"})
    assert routes.find("/things/other") is None
    assert routes.find("/things/a%2Fb/parts") == (ByWord, {"word": "a/b"})
    assert routes.find("/things/%ff/parts") == (ByWord, {"word": "\ufffd"})
    assert routes.find("/%ff/me") is None


def test_two_handlers_for_one_path_are_an_error():
    with pytest.raises(ValueError, match="two endpoints"):
        Routes([Me, Me])
