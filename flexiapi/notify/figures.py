"""Prometheus metrics of deliveries, per transport and label, and what became of the last ones of a backend.

Metrics hold neither contents nor recipients.
"""

from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

deliveries = Counter(
    "flexiapi_deliveries",
    "Messages handed to a backend, by how it ended: sent, unregistered, refused, deferred, failed, turned_away, "
    "cancelled",
    ["transport", "label", "outcome"],
)
tries = Counter("flexiapi_delivery_tries", "Tries to send, retries included", ["transport", "label"])
seconds = Histogram(
    "flexiapi_delivery_seconds",
    "From the hand-over to a backend to its end, retries included",
    ["transport", "label"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
reports = Counter(
    "flexiapi_delivery_reports",
    "Delivery reports of providers, by what they say: underway, delivered, failed, or unverified, unreadable",
    ["transport", "label", "status"],
)
circuit_openings = Counter(
    "flexiapi_delivery_circuit_openings", "Times that a backend was left to rest after failures", ["transport", "label"]
)
waiting = Gauge(
    "flexiapi_delivery_waiting",
    "Messages that wait until the backend has less than its concurrency under way",
    ["transport", "label"],
    multiprocess_mode="livesum",
)
cost = Counter(
    "flexiapi_delivery_cost",
    "Price of accepted messages in the provider's own unit, where it tells it",
    ["transport", "label"],
)
credit = Gauge(
    "flexiapi_delivery_credit",
    "What is left to spend at the provider, in its own unit, where it tells it",
    ["transport", "label"],
    multiprocess_mode="mostrecent",
)


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A message that was not sent: when, the kind of its failure, and the reason that the backend gave."""

    at: datetime
    kind: str
    reason: str


@dataclass(slots=True)
class DeliveryRecord:
    """The last message that a backend sent in this process, and the last one that it could not send."""

    sent_at: datetime | None = None
    failure: FailedDelivery | None = None
