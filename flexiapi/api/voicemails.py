"""Voicemail: messages that callers leave, which Flexisip's voicemail server records."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import FileName, FileSecret, Id, VoicemailId
from flexiapi.api.views.voicemails import VoicemailSlotView, VoicemailView
from flexiapi.errors import (
    RangeNotSatisfiable,
    RecordNotFound,
    RouteNotFound,
    TooManyRequests,
    UploadAborted,
    ValidationFailed,
    VoicemailFull,
)
from flexiapi.model import Account, KeyScope, SoundType
from flexiapi.services.calls import AnnouncedVoicemail
from flexiapi.services.fields import Caller
from flexiapi.settings.voicemail import VoicemailSettings
from flexiapi.web import ranges
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Switch, Upload
from flexiapi.web.parameters import Params
from flexiapi.web.replies import FileReply
from flexiapi.web.uploads import single_file

_FORM_BYTES = 1024 * 1024
_ENABLED = Switch(lambda exchange: exchange.settings.voicemail.enabled, off=RouteNotFound)


class NewVoicemail(Params):
    """A voicemail that is about to be sent."""

    sip_from: Caller | None = None
    content_type: Annotated[
        Literal["audio/wav", "audio/opus"],
        Field(description="media type of the sound that will be sent", examples=["audio/wav"]),
    ]


class _SlotEndpoint(ApiEndpoint):
    """Announcing a voicemail."""

    async def announced(self, account: Account, body: NewVoicemail, root: str) -> VoicemailSlotView:
        """Announce a voicemail of an account, to be sent to a URL under that root."""
        sound = SoundType(body.content_type)
        announced: AnnouncedVoicemail = await self.calls.voicemails.announce(account, body.sip_from, sound, self.actor)
        return VoicemailSlotView(
            id=announced.slot.id,
            sip_from=announced.slot.caller,
            content_type=announced.slot.type,
            created_at=announced.slot.created_at,
            upload_url=f"{root}/api/files/{announced.secret}",
            max_upload_size=self.settings.voicemail.most_bytes,
        )


class MyVoicemailsEndpoint(_SlotEndpoint):
    """The voicemails of the current user."""

    path = "/api/accounts/me/voicemails"

    @endpoint(Access.USER, switch=_ENABLED, status=201, raises=(VoicemailFull, TooManyRequests), secret=True)
    async def post(self, body: NewVoicemail) -> VoicemailSlotView:
        """Announce a voicemail. Its sound can be sent to `upload_url` once, within `voicemail.slot_minutes`."""
        return await self.announced(self.me, body, self.space.url)

    @endpoint(Access.USER, switch=_ENABLED, secret=True)
    async def get(self) -> list[VoicemailView]:
        """Return the stored voicemails of the user, the newest first."""
        voicemails = self.calls.voicemails
        box = await voicemails.box_of(self.me)
        return [VoicemailView.of(one, voicemails.url_of(one, self.me)) for one in box.voicemails]


class MyVoicemailEndpoint(ApiEndpoint):
    """A voicemail of the current user."""

    path = "/api/accounts/me/voicemails/{voicemail_id}"

    @endpoint(Access.USER, switch=_ENABLED, raises=(RecordNotFound,), secret=True)
    async def get(self, voicemail_id: VoicemailId) -> VoicemailView:
        """Return one of the voicemails of the user."""
        voicemail = await self.calls.voicemails.one_of(self.me, voicemail_id)
        return VoicemailView.of(voicemail, self.calls.voicemails.url_of(voicemail, self.me))

    @endpoint(Access.USER, switch=_ENABLED, raises=(RecordNotFound,), keeps_accounts=True)
    async def delete(self, voicemail_id: VoicemailId) -> None:
        """Remove one of the voicemails of the user, with its sound."""
        await self.calls.voicemails.remove(self.me, voicemail_id, self.actor)


class AccountVoicemailsEndpoint(_SlotEndpoint):
    """The voicemails of an account."""

    path = "/api/accounts/{id}/voicemails"

    @endpoint(
        Access.ADMIN,
        scope=KeyScope.FLEXISIP,
        switch=_ENABLED,
        status=201,
        raises=(RecordNotFound, VoicemailFull, TooManyRequests),
        secret=True,
        keeps_accounts=True,
    )
    async def post(self, id: Id, body: NewVoicemail) -> VoicemailSlotView:
        """Announce a voicemail, as Flexisip's voicemail server does.

        The path of `upload_url` is the one behind the front server: Flexisip puts the path of its own setting `url`
        before it.
        """
        account = await self.accounts.directory.within(id, self.reach)
        return await self.announced(account, body, _host_of(self.space.url))

    @endpoint(Access.ADMIN, switch=_ENABLED, raises=(RecordNotFound,))
    async def get(self, id: Id) -> list[VoicemailView]:
        """Return the stored voicemails of an account, the newest first, without the way to their sound."""
        box = await self.calls.voicemails.box_of(await self.accounts.directory.for_admin(id, self.space))
        return [VoicemailView.of(voicemail, None) for voicemail in box.voicemails]


class AccountVoicemailEndpoint(ApiEndpoint):
    """A voicemail of an account."""

    path = "/api/accounts/{id}/voicemails/{voicemail_id}"

    @endpoint(Access.ADMIN, switch=_ENABLED, raises=(RecordNotFound,))
    async def get(self, id: Id, voicemail_id: VoicemailId) -> VoicemailView:
        """Return a voicemail of an account, without the way to its sound."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return VoicemailView.of(await self.calls.voicemails.one_of(account, voicemail_id), None)

    @endpoint(Access.ADMIN, switch=_ENABLED, raises=(RecordNotFound,), keeps_accounts=True)
    async def delete(self, id: Id, voicemail_id: VoicemailId) -> None:
        """Remove a voicemail of an account, with its sound."""
        account = await self.accounts.directory.for_admin(id, self.space)
        await self.calls.voicemails.remove(account, voicemail_id, self.actor)


def _most_bytes(exchange: ApiEndpoint) -> int:
    """Return the most bytes of a form with a voicemail."""
    settings: VoicemailSettings = exchange.settings.voicemail
    return settings.most_bytes + _FORM_BYTES


def _seconds(exchange: ApiEndpoint) -> float:
    """Return the longest time that an upload may take, in seconds."""
    settings: VoicemailSettings = exchange.settings.voicemail
    return settings.upload_seconds


_SOUND = Upload(_most_bytes, _seconds, "the sound, of the type that was announced")


class FileUploadEndpoint(ApiEndpoint):
    """The sound of an announced voicemail."""

    path = "/api/files/{secret}"
    is_transfer = True

    @endpoint(
        Access.PUBLIC,
        switch=_ENABLED,
        raises=(RecordNotFound, ValidationFailed, VoicemailFull, UploadAborted),
        keeps_accounts=True,
        upload=_SOUND,
    )
    async def post(self, secret: FileSecret) -> VoicemailView:
        """Send the sound of an announced voicemail, once. The secret in the path is all that is needed."""
        assert self.request.stream is not None
        content = single_file(self.request.headers.get("Content-Type", ""), self.request.stream)
        return VoicemailView.of(await self.calls.voicemails.receive(secret, content, self.actor), None)


class _FileEndpoint(ApiEndpoint):
    """The sound of a voicemail."""

    is_transfer = True

    async def file(self, link: str, name: str, disposition: str) -> FileReply:
        """Return the file of a link, or the range of it that is asked for. Raises `RecordNotFound`."""
        voicemail = await self.calls.voicemails.by_link(link, name, self.space)
        size, tag = voicemail.size, f'"{voicemail.id}"'
        found = ranges.requested(self.request.headers, size, tag)
        asked = found or range(size)
        return FileReply(
            pieces=self.calls.voicemails.content(voicemail, asked.start, asked.stop),
            size=len(asked),
            status=200 if found is None else 206,
            headers=[
                ("Content-Type", voicemail.type.served_as),
                ("Content-Disposition", f'{disposition}; filename="{voicemail.name}"'),
                *ranges.headers_of(found, size, tag),
            ],
        )


class FileEndpoint(_FileEndpoint):
    """The sound of a voicemail, to be played."""

    path = "/f/{secret}/{name}"

    @endpoint(Access.PUBLIC, switch=_ENABLED, raises=(RecordNotFound, RangeNotSatisfiable), secret=True, hidden=True)
    async def get(self, secret: FileSecret, name: FileName) -> FileReply:
        """Return a voicemail, or the range of bytes that is asked for. The secret in the path is all that is needed."""
        return await self.file(secret, name, "inline")


class FileDownloadEndpoint(_FileEndpoint):
    """The sound of a voicemail, to be saved."""

    path = "/f/{secret}/{name}/download"

    @endpoint(Access.PUBLIC, switch=_ENABLED, raises=(RecordNotFound, RangeNotSatisfiable), secret=True, hidden=True)
    async def get(self, secret: FileSecret, name: FileName) -> FileReply:
        """Return a voicemail, as a file to save."""
        return await self.file(secret, name, "attachment")


def _host_of(url: str) -> str:
    """Return a URL without its path."""
    scheme, host, *_ = urlsplit(url)
    return f"{scheme}://{host}"
