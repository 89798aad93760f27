"""Countries of network addresses, from a database file that the operator names."""

import struct
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.rendering.wording import territory

# Enough to tell a file of countries from one of other things, such as of providers.
_LOOKED_AT = 1000
# A damaged file makes the reader fail in any of these ways: InvalidDatabaseError is a RuntimeError.
_DAMAGES = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, struct.error)
_ADVICE = (
    "Name a file of countries in the format MMDB, such as GeoLite2-Country.mmdb or DB-IP's dbip-country-lite.mmdb, "
    "or leave the setting empty: then no country is shown"
)


class Countries:
    """The countries of network addresses.

    The file is read once, as a whole: a process that maps a file dies when another file is copied over it. Without
    `file`, no address has a country. Raises `ConfigurationError` for a file that cannot be read, or that is none.
    """

    def __init__(self, file: Path | None) -> None:
        self.description: str | None = None
        """Kind and date of the file; `None` without one."""
        self._database: maxminddb.Reader | None = None
        self._is_damage_told = False
        if file is None:
            return
        try:
            database = maxminddb.open_database(file, maxminddb.MODE_MEMORY)
            has_countries = any(_code(record) for _, record in islice(database, _LOOKED_AT))
            made_at = datetime.fromtimestamp(database.metadata().build_epoch, UTC)
            self.description = f"{database.metadata().database_type} of {made_at:%Y-%m-%d}"
        except OSError as error:
            raise _refused(f"{file} cannot be read: {error.strerror}. {_ADVICE}.") from error
        except _DAMAGES as error:
            raise _refused(f"{file} is damaged, or no database of networks. Fetch it again. {_ADVICE}.") from error
        if not has_countries:
            raise _refused(f"{file} ({self.description}) says nothing about countries. {_ADVICE}.")
        self._database = database

    def of(self, address: str, language: str) -> str:
        """Return the name of the country of an address in a language; an empty text if it is not known.

        Addresses of private networks and those that are for special use have none.
        """
        if self._database is None:
            return ""
        try:
            parsed = ip_address(address)
        except ValueError:
            return ""
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        metadata = self._database.metadata()
        if not parsed.is_global or (parsed.version == 6 and metadata.ip_version == 4):  # noqa: PLR2004  # of IP
            return ""
        try:
            code = _code(self._database.get(parsed))
        except _DAMAGES as error:
            # What the page is about matters more than the country.
            self._tell(error)
            return ""
        return "" if code is None else territory(code, language)

    def _tell(self, error: Exception) -> None:
        """Log a damage once: pages with many addresses would fill the log with it."""
        if not self._is_damage_told:
            log.warning("country database is damaged", setting="panel.country_database", error=str(error))
        self._is_damage_told = True


def _code(record: Any) -> str | None:
    """Return the code of the country (ISO 3166-1) of a record, `None` for one that has none."""
    country = record.get("country") if isinstance(record, dict) else None
    code = country.get("iso_code") if isinstance(country, dict) else None
    return code if isinstance(code, str) else None


def _refused(text: str) -> ConfigurationError:
    return ConfigurationError(f"panel.country_database (PANEL_COUNTRY_DATABASE): {text}")
