"""Stylesheet, script and logo of the panel."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.rendering.assets import Asset
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import HttpReply, Png, Script, Stylesheet, Svg

_FOR_EVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


class Version(Params):
    """The version that a page names."""

    v: Annotated[Text, Field(description="version of the file")] | None = None


class AssetEndpoint(PageEndpoint):
    """The base class of the endpoints of files."""

    def headers_of(self, asset: Asset, version: Version) -> list[tuple[str, str]]:
        """Return the headers of a file: the version that a page names never changes."""
        return [("Cache-Control", _FOR_EVER if version.v == asset.version else "no-cache")]


class StylesheetEndpoint(AssetEndpoint):
    """The stylesheet."""

    path = "/assets/panel.css"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self, version: Version) -> Stylesheet:
        """Return the stylesheet."""
        asset = self.context.assets.stylesheet
        return Stylesheet(asset.body, self.headers_of(asset, version))


class ScriptEndpoint(AssetEndpoint):
    """The script."""

    path = "/assets/panel.js"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self, version: Version) -> Script:
        """Return the script."""
        asset = self.context.assets.script
        return Script(asset.body, self.headers_of(asset, version))


class LogoEndpoint(PageEndpoint):
    """The logo of the space."""

    path = "/assets/logo"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> HttpReply:
        """Return the logo. Raises `RecordNotFound` without one."""
        if self.space.logo is None:
            raise RecordNotFound
        return _picture(self.space.logo)


def _picture(file: Path) -> HttpReply:
    """Return a picture as it is now: operators replace it without a restart."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise RecordNotFound from error
    kind = Svg if file.suffix.lower() == ".svg" else Png
    return kind(body, [("Cache-Control", _AN_HOUR)])
