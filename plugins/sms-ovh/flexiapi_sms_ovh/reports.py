"""Delivery reports of OVH: calls of a URL with its fields in the query, and no proof but a secret in it."""

import hmac
from urllib.parse import parse_qs

from flexiapi.plugin import Callback, DeliveryReport, ReportedStatus, Unverified

_RECEIPTS: dict[str, ReportedStatus] = {
    "0": "underway",
    "1": "delivered",
    "2": "failed",
    "4": "underway",
    "8": "underway",
    "16": "failed",
}

# States in which delivery goes on, or whose end the operators do not tell; any other is a cause of failure.
_STATES: dict[str, ReportedStatus] = {
    "0": "underway",
    "1": "underway",
    "2": "underway",
    "3": "underway",
    "4": "delivered",
    "6": "underway",
}


def read_report(callback: Callback, secret: str) -> DeliveryReport:
    """Read the report in a call that has the secret. Raises `Unverified`."""
    # OVH adds its fields to a query that there is already, by a sign that it does not document.
    query = parse_qs(callback.query.replace("?", "&"))
    fields = {**callback.form(), **{name: values[0] for name, values in query.items()}}
    if not hmac.compare_digest(secret.encode(), fields.get("secret", "").encode()):
        raise Unverified
    receipt, state = fields.get("description", ""), fields.get("ptt", "")
    status = _RECEIPTS.get(receipt) or (_STATES.get(state, "failed") if state.isdecimal() else "underway")
    codes = [f"{name} {code}" for name, code in (("ptt", state), ("dlr", receipt)) if code.isdecimal()]
    job = fields.get("id", "")
    return DeliveryReport(status, job if job.isdecimal() else None, ", ".join(codes) or None)
