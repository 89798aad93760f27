"""Prometheus metrics of events: how many wait at each station, and for how long."""

from prometheus_client import Gauge

_STATIONS = (
    "pending: in the document that changed; unnumbered: moved, without a number; announced: of a change under way"
)

waiting = Gauge(
    "flexiapi_events_waiting", f"Events by station ({_STATIONS})", ["station"], multiprocess_mode="mostrecent"
)
waiting_seconds = Gauge(
    "flexiapi_events_waiting_seconds",
    "Age of the oldest event of a station, in seconds",
    ["station"],
    multiprocess_mode="mostrecent",
)
last_number = Gauge("flexiapi_events_last_number", "Number of the newest event", multiprocess_mode="mostrecent")
reader_lag = Gauge(
    "flexiapi_events_reader_lag",
    "Events that a reader of this host has yet to read",
    ["reader"],
    multiprocess_mode="mostrecent",
)
