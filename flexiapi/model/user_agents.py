"""Names of programs and devices, as the User-Agent of SIP and HTTP requests tells them."""

import re
from dataclasses import dataclass
from typing import Self

# `LinphoneAndroid/5.2.5 (Galaxy S21) LinphoneSDK/5.3`: a product, its version, and a comment with the device.
_PRODUCT = re.compile(r"\s*([^/\s()]{1,60})(?:/(\S{1,60}))?(?:\s*\(([^)]{1,100})\))?")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,2}")
_PLATFORMS = (("android", "Android"), ("ios", "iOS"), ("iphone", "iOS"), ("desktop", "Desktop"))


@dataclass(frozen=True, slots=True)
class UserAgent:
    """A program, the platform that its name tells, its version, and the device that it runs on. Each may be empty."""

    program: str = ""
    platform: str = ""
    version: str = ""
    device: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the first product of a User-Agent; the others are libraries. Nothing is raised."""
        told = "".join(letter for letter in text if letter.isprintable())
        match = _PRODUCT.match(told)
        if match is None:
            return cls()
        program, platform = _split(match[1])
        version = _VERSION.match(match[2] or "")
        return cls(program, platform, version[0] if version else "", (match[3] or "").strip())

    @property
    def name(self) -> str:
        """The program in words, such as `Linphone Android 5.2.5`; empty if it is unknown."""
        return " ".join(part for part in (self.program, self.platform, self.version) if part)


def _split(product: str) -> tuple[str, str]:
    """Return the program and the platform that a product such as `LinphoneAndroid` is named after."""
    for ending, platform in _PLATFORMS:
        if product.lower().endswith(ending):
            program = product[: -len(ending)].rstrip("-_.")
            return (program, platform) if program else (platform, "")
    return product, ""
