"""Every test of notification tries again without waiting."""

import pytest


@pytest.fixture(autouse=True)
def _without_waits(no_waits):
    """Waits between tries are of no interest here, and deadlines can be long enough for any machine."""
