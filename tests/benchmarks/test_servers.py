"""The measured servers: their settings, and the figures of several processes and sizes."""

import os
from types import SimpleNamespace

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from benchmarks.configuration import environment
from benchmarks.house import Options, house
from benchmarks.programs import allow_descriptors
from benchmarks.scale import sizes
from benchmarks.sharing import answered, processes
from flexiapi.settings import LimitSettings
from flexiapi.settings.loading import load
from tests.kit.programs import binary_of


def test_the_server_has_no_limits_and_no_settings_of_the_shell(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMITS_REQUESTS_PER_MINUTE", "7")
    monkeypatch.setenv("SMS_MAIN", "{}")
    variables = environment(8123, "mongodb://127.0.0.1/", tmp_path, "benchmark", 3)
    assert "SMS_MAIN" not in variables
    assert variables["FLEXIAPI_CONFIG"] == os.devnull
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = load(None)
    assert (settings.server.port, settings.server.processes, settings.data.path) == (8123, 3, tmp_path)
    numbers = [name for name, field in LimitSettings.model_fields.items() if field.annotation is int]
    assert {getattr(settings.limits, name) for name in numbers} == {0}
    assert settings.flexisip.external_auth


def test_requests_are_counted_by_process(tmp_path):
    folder = tmp_path / "flexiapi-figures-x"
    folder.mkdir()
    for pid, counts in {11: {"/a": 3.0, "/b": 4.0}, 12: {"/a": 5.0}, 99: {"/a": 1.0}}.items():
        figures = MmapedDict(str(folder / f"counter_{pid}.db"))
        for route, count in counts.items():
            names, values = ("method", "route"), ("GET", route)
            key = mmap_key("flexiapi_http_requests", "flexiapi_http_requests_total", names, values, "Requests")
            figures.write_value(key, count, 0.0)
        figures.write_value(mmap_key("other", "other_total", (), (), "Others"), 100.0, 0.0)
        figures.close()
    # The last process is not one of this server any more, and one has answered nothing.
    assert answered(tmp_path, SimpleNamespace(serving=[11, 12, 13])) == [7, 5, 0]


@pytest.mark.slow
def test_processes_and_sizes_are_rows_with_their_cost():
    binary_of("wrk")
    allow_descriptors()
    with house(Options(seconds=1, rounds=1, connections=16)) as built:
        one, two, *_ = processes(built, built.fill(100), "GET /provisioning")
        small, large = sizes(built, "by key", (100, 300))
    assert (one["processes"], two["processes"]) == (1, 2)
    assert (one["reached"], one["cpu_to_first"]) == (None, 1.0)
    assert len(two["answered"]) == 2
    assert 0 <= two["evenness"] <= 1
    assert two["cpu_to_apart"] > 0
    assert (small["accounts"], large["accounts"]) == (100, 300)
    assert large["cpu_to_first"] > 0
    assert [row["errors"] for row in (one, two, small, large)] == [0, 0, 0, 0]
