"""Push notifications that wake phones, as Flexisip asks for them."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.creation_tokens import PushTarget
from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.errors import DeliveryFailed
from flexiapi.model import KeyScope, PushAddress
from flexiapi.services.call_fields import PushCallId, PushPurpose
from flexiapi.services.calls import WakingPush
from flexiapi.services.fields import PushId
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


class WakingParameters(PushTarget):
    """A push to a device."""

    pn_param: Annotated[
        PushId,
        Field(
            description="the push notification parameter, in which Apple's services may be joined by `&`",
            examples=["929724111839"],
        ),
    ]
    type: PushPurpose
    call_id: PushCallId | None = None


class PushNotificationEndpoint(ApiEndpoint):
    """Push notifications that wake phones."""

    path = "/api/push_notification"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.PUSH,
        raises=(DeliveryFailed,),
        checks=lambda exchange, values: exchange.calls.pushes.faults(values),
        keeps_accounts=True,
    )
    async def post(self, body: WakingParameters) -> None:
        """Send a push notification that wakes a phone: `200` once a provider has accepted it.

        A call goes to the token for calls (`voip`) of an iPhone, with the highest priority and for 30 seconds. The same
        device is woken once in 5 seconds for one `call_id`; a repetition is answered with `200` too. Return `503` if no
        provider has accepted it in 3 seconds, or if the device can no longer be reached.
        """
        address = PushAddress(body.pn_provider, body.pn_param, body.pn_prid)
        await self.calls.pushes.send(WakingPush(address, body.type, body.call_id))
