"""Settings of the event log: the calls, messages and conferences that the SIP server reports."""

from pydantic import Field

from flexiapi.settings.values import SettingsSection

_MOST_DAYS = 3660


class StatisticsSettings(SettingsSection):
    """The calls, messages and conferences that Flexisip reports (its [event-logs])."""

    days: int = Field(
        0,
        ge=0,
        le=_MOST_DAYS,
        description="how long what Flexisip reports is kept, in days; 0 keeps nothing of it, and removes what was kept",
    )
