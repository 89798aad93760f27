"""Values as people write them."""

import pytest

from flexiapi.services.conversions import typed_digits, typed_number


@pytest.mark.parametrize(
    "written",
    [
        "+33612345678",
        "0033612345678",
        "+33 6 12 34 56 78",
        "+33 (0)6-12.34.56.78",
        "(+33) 612 345 678",
        "00 33 6 12 34 56 78",
        "+33\u00a06\u202f12\u201034\u201356 78",
        "\u202a+33612345678\u202c",
    ],
)
def test_any_unambiguous_number_is_understood(written):
    assert typed_number(written) == "+33612345678"


@pytest.mark.parametrize(("written", "kept"), [("06 12 34 56 78", "0612345678"), ("+33 six", "+33six"), (5, 5)])
def test_what_is_ambiguous_is_left_to_the_field(written, kept):
    assert typed_number(written) == kept


@pytest.mark.parametrize("written", ["1234", "12 34", " 1-2-3-4 ", "12\u00a034", 1234])
def test_a_code_is_its_digits(written):
    assert typed_digits(written) == "1234"
