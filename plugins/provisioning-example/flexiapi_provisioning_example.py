"""Example of a provisioning hook, which uses each of its three methods."""

from flexiapi.provisioning.hooks import (
    Account,
    Document,
    Password,
    ProvisioningHook,
    ProvisioningRequest,
    Section,
)

# The parameters of a link are not trusted: an arbitrary one could direct a phone to another server.
NUMBERS = frozenset({"reg_expires", "publish_expires"})


class ExampleHook(ProvisioningHook):
    """Takes numbers from the link, makes accounts of groups publish presence, and tells the app its account."""

    def proxy(self, section: Section, request: ProvisioningRequest, account: Account) -> None:
        """Set `reg_expires` from `/provisioning/{token}?reg_expires=600`, over the base file and the phone's value."""
        for name in NUMBERS & request.query.keys():
            if request.query[name].isdecimal():
                section.add(name, request.query[name], overwrite=True)
        if account.group:
            section.add("publish", "1")

    def auth(self, section: Section, request: ProvisioningRequest, password: Password) -> None:
        """Let the phone offer the algorithm of this hash only, unless it is too old to know the key."""
        if not request.headers.get("user-agent", "").startswith("Old Phone/"):
            section.add("available_algorithms", password.algorithm)

    def additional_section(self, document: Document, request: ProvisioningRequest, account: Account | None) -> None:
        """Add a section for the app, also in documents without account."""
        app = document.add("app")
        app.add("language", request.headers.get("accept-language", "en"))
        app.add("provisioned_for", account.address if account else "anybody")
        if "transport=tls" in (proxy_default(document) or ""):
            app.add("secure_transport", "1")


def proxy_default(document: Document) -> str | None:
    """Return the SIP server that the base file gives to every account."""
    section = document.section("proxy_default_values")
    return section.get("reg_proxy") if section else None
