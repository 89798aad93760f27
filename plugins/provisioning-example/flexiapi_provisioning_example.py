"""An example of a provisioning hook: it shows each of the three places where a hook may add to a document."""

from flexiapi.provisioning.hooks import (
    Account,
    Document,
    Password,
    ProvisioningHook,
    ProvisioningRequest,
    Section,
)

# Whoever writes the link chooses its parameters: one that may be anything could send a phone to another server.
NUMBERS = frozenset({"reg_expires", "publish_expires"})


class ExampleHook(ProvisioningHook):
    """Takes numbers from the link, has group accounts publish presence, and tells the app what it was made for."""

    def proxy(self, section: Section, request: ProvisioningRequest, account: Account) -> None:
        """`/provisioning/{token}?reg_expires=600` becomes `reg_expires`, whatever the base file or the phone say."""
        for name in NUMBERS & request.query.keys():
            if request.query[name].isdecimal():
                section.add(name, request.query[name], overwrite=True)
        if account.group:
            section.add("publish", "1")

    def auth(self, section: Section, request: ProvisioningRequest, password: Password) -> None:
        """Let the phone offer the only algorithm that it has a hash for, unless it is too old to know the key."""
        if not request.headers.get("user-agent", "").startswith("Old Phone/"):
            section.add("available_algorithms", password.algorithm)

    def additional_section(self, document: Document, request: ProvisioningRequest, account: Account | None) -> None:
        """A section of the app's own, also in documents without account."""
        app = document.add("app")
        app.add("language", request.headers.get("accept-language", "en"))
        app.add("provisioned_for", account.address if account else "anybody")
        if "transport=tls" in (proxy_default(document) or ""):
            app.add("secure_transport", "1")


def proxy_default(document: Document) -> str | None:
    """The server that the base file gives to every account."""
    section = document.section("proxy_default_values")
    return section.get("reg_proxy") if section else None
