"""Rules of call forwarding as pages show them."""

from flexiapi.rendering.panel.call_forwarding import ForwardingLine
from flexiapi.services.calls import ShownForwarding
from flexiapi.sip_address import uri_of


def forwarding_line(shown: ShownForwarding) -> ForwardingLine:
    """Return a rule as pages show it."""
    rule, contact = shown.rule, shown.contact
    target = rule.sip_uri if contact is None else uri_of(contact.username, contact.domain)
    return ForwardingLine(
        rule.id,
        rule.type.value,
        rule.forward_to.value,
        target,
        is_enabled=rule.enabled,
        is_ended=shown.warning is not None,
    )
