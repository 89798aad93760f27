"""Push backend for Android phones, by Firebase Cloud Messaging (HTTP v1)."""

import asyncio
import json
from datetime import UTC, datetime

from flexiapi.plugin import Permanent, PushBackend, PushMessage, Receipt, http_client, tls_context
from flexiapi_push_fcm.config import FcmConfig
from flexiapi_push_fcm.project import Project
from flexiapi_push_fcm.tokens import OAuthTransport

__all__ = ["FcmConfig", "FcmPush"]


class FcmPush(PushBackend[FcmConfig]):
    """Sends data messages, those with a title shown too, in the project that the device's `pn_param` names."""

    Config = FcmConfig
    providers = frozenset({"fcm"})

    async def start(self) -> None:
        """Read the service accounts; access tokens are fetched when needed."""
        context = await asyncio.to_thread(tls_context, self.config.ca_file)
        self._oauth = OAuthTransport(context)
        # HTTP/1.1, so that a message that is given up takes nothing but its own connection with it.
        self._http = http_client(self.concurrency * self._count, context)
        try:
            await asyncio.to_thread(self._read_projects)
        except BaseException:
            await self._http.aclose()
            self._oauth.close()
            raise

    def _read_projects(self) -> None:
        config, endpoint = self.config, str(self.config.endpoint)
        self._projects = {
            number: Project(file, endpoint, self._oauth, self._http) for number, file in config.projects.items()
        }
        file = config.service_account_file
        self._default = Project(file, endpoint, self._oauth, self._http) if file else None

    @property
    def concurrency(self) -> int:
        """The requests under way at once in a project, each on a connection of its own."""
        return self.config.concurrency

    @property
    def _count(self) -> int:
        return len(self.config.projects) + (self.config.service_account_file is not None)

    def lane(self, message: PushMessage) -> str:
        """Return the number of the project, if there are several: each has its own quota and its own credentials."""
        return message.param if self._count > 1 and message.param in self.config.projects else ""

    @property
    def _all(self) -> list[Project]:
        return [*self._projects.values(), *([self._default] if self._default else [])]

    def device_identity(self, message: PushMessage) -> str:
        """Return the registration token, which is one app's on one phone, whatever project `pn_param` names."""
        return message.prid

    async def send(self, message: PushMessage) -> Receipt:
        """Send a data message."""
        project = self._projects.get(message.param, self._default)
        if project is None:
            raise Permanent(f"no project has the number {message.param}: add it to `projects`")
        # Messages of earlier servers have no title.
        title = getattr(message, "title", None)
        return await project.send(message.prid, payload(message), options(message, self.config.ttl_seconds), title)

    async def check(self) -> None:
        """Let FCM validate a message of each project, without sending it."""
        for project in self._all:
            await project.check()

    async def close(self) -> None:
        """Close the connections."""
        for project in self._all:
            await project.close()
        await self._http.aclose()
        self._oauth.close()


def options(message: PushMessage, longest_seconds: int) -> dict[str, str]:
    """Return the options for Android; messages of earlier servers name none, and have high priority."""
    seconds = getattr(message, "time_to_live", None)
    collapse = getattr(message, "collapse_id", None)
    return {
        "priority": getattr(message, "priority", "high"),
        "ttl": f"{longest_seconds if seconds is None else min(seconds, longest_seconds)}s",
        **({"collapse_key": collapse} if collapse else {}),
    }


def payload(message: PushMessage) -> dict[str, str]:
    """Return the data that Linphone for Android reads; it removes braces and quotes from all values but the first."""
    return {
        "custom-payload": json.dumps(dict(message.data), separators=(",", ":")),
        # Messages of earlier servers have no purpose.
        "call-id": getattr(message, "call_id", ""),
        "loc-key": "IC_MSG" if getattr(message, "purpose", "background") == "call" else "IM_MSG",
        "loc-args": "",
        "from-uri": "",
        "display-name": "",
        "sip-from": "",
        "uuid": "",
        "send-time": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
    }
