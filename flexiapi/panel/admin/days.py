"""Days of forms."""

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from flexiapi.errors import Violations


def _day(value: Any) -> date:
    try:
        day = date.fromisoformat(str(value))
        # The end of a day is the next one.
        day + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise Violations("{field} must be a date, such as 2026-11-30") from error
    return day


Day = Annotated[date | None, BeforeValidator(_day)]
