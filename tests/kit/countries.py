"""Database files of countries, in the format MMDB."""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

BRITISH, FRENCH, FRENCH_6 = "81.2.69.160", "90.63.0.7", "2a01:cb00::7"
NETWORKS = {
    "81.2.69.0/24": {"country": {"iso_code": "GB", "names": {"en": "Not shown"}}, "continent": {"code": "EU"}},
    "90.63.0.0/16": {"country": {"iso_code": "FR"}},
    "2a01:cb00::/32": {"country": {"iso_code": "FR"}},
    # Known to the file, and nevertheless of no country.
    "10.0.0.0/8": {"country": {"iso_code": "FR"}},
    "127.0.0.0/8": {"country": {"iso_code": "FR"}},
    "fe80::/10": {"country": {"iso_code": "FR"}},
    "5.5.5.0/24": {"registered_country": {"iso_code": "FR"}},
    "6.6.6.0/24": {"country": {"iso_code": "ZZZ"}},
    "7.7.7.0/24": {"country": "FR"},
}


def country_file(path: Path, networks=NETWORKS, *, version: int = 6, kind: str = "Test-Country") -> Path:
    """Write a file that knows these networks, and return its path."""
    writer = MMDBWriter(version, kind, languages=["en"], description="of a test", ipv4_compatible=version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path
