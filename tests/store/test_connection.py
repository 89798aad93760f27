"""The threads of the driver, in a process of its own: Motor reads their number when it is first imported."""

import os
import subprocess
import sys

import pytest

SCRIPT = "import flexiapi.server.assembly, motor.frameworks.asyncio as driver; print(driver._EXECUTOR._max_workers)"


@pytest.mark.parametrize(("variable", "threads"), [({}, 8), ({"MOTOR_MAX_WORKERS": "3"}, 3)])
def test_the_driver_has_few_threads_on_a_host_with_many_cores(variable, threads):
    others = {name: value for name, value in os.environ.items() if name != "MOTOR_MAX_WORKERS"}
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=others | variable, capture_output=True, text=True, timeout=100, check=True
    )
    assert found.stdout == f"{threads}\n"
