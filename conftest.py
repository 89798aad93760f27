"""Makes pytest-tornado usable: it asks `pkg_resources`, which is gone, for one function."""

import sys
import types

import packaging.version

sys.modules.setdefault(
    "pkg_resources",
    types.SimpleNamespace(parse_version=packaging.version.parse, fixup_namespace_packages=lambda _: None),
)

pytest_plugins = ["pytest_tornado.plugin"]
