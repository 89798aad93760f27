"""Views of devices."""

from dataclasses import dataclass

from flexiapi.api.views.accounts import Moment
from flexiapi.model import Device


@dataclass(kw_only=True)
class DeviceView:
    """A registered device."""

    uuid: str
    update_time: Moment
    user_agent: str

    @classmethod
    def of(cls, device: Device) -> "DeviceView":
        """Return the view of a device."""
        return cls(uuid=device.uuid, update_time=device.updated_at, user_agent=device.user_agent)
