"""One-time codes."""

from collections import Counter

from flexiapi.crypto.codes import KEY_ALPHABET, Codes, grouped, joined, random_key, random_pin
from flexiapi.crypto.keys import ApplicationKey


def test_every_pin_is_as_likely_as_any_other():
    """ASVS 6.5.1: chi-square over the leading digits and over all 10,000 values, leading zeros too."""
    pins = Counter(random_pin() for _ in range(100_000))
    assert len(pins) > 9_990
    assert all(len(pin) == 4 and pin.isdecimal() for pin in pins)
    chi_square = sum((pins[f"{value:04d}"] - 10) ** 2 / 10 for value in range(10_000))
    assert 9_300 < chi_square < 10_700


def test_a_code_fits_only_where_it_was_made_for():
    codes = Codes(ApplicationKey("a" * 40))
    stored = codes.hash("0427", 12, "phone", "+33612345678")
    assert codes.fits("0427", stored, 12, "phone", "+33612345678")
    for other in (
        ("0427", 13, "phone", "+33612345678"),
        ("0427", 12, "email", "+33612345678"),
        ("427", 12, "phone", "+33612345678"),
    ):
        assert not codes.fits(other[0], stored, *other[1:])


def test_a_typed_key_has_64_bits_and_more_and_no_look_alikes():
    keys = [random_key() for _ in range(20_000)]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 13 for key in keys)
    assert set("".join(keys)) == set(KEY_ALPHABET)
    assert len(set(KEY_ALPHABET)) ** 13 >= 2**64
    assert not set(KEY_ALPHABET) & set("0O1Il")


def test_a_typed_key_is_shown_in_groups_and_read_without_them():
    assert grouped("WATDMY7PTD4CZ") == "WATD-MY7P-TD4CZ"
    assert joined(" watd-MY7P \u2009td4cz\n") == "watdMY7Ptd4cz"
