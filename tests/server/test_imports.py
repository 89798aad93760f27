"""Modules and validators that a server process does without until it needs them."""

import json
import subprocess
import sys

HEAVY = {"fastapi", "hypothesis", "numpy", "pandas", "playwright", "pytest", "schemathesis", "setuptools", "vobject"}
_PROGRAM = """
import json, sys
from flexiapi.server import child
from flexiapi.server.routes import ENDPOINTS
operations = [operation for endpoint in ENDPOINTS for operation in endpoint.operations.values()]
models = {operation.params for operation in operations if operation.params}
print(json.dumps({
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "operations": len(operations),
    "encoders": sum("encode" in vars(operation) for operation in operations),
    "models": len(models),
    "validators": sum(model.__pydantic_complete__ for model in models),
}))
"""


def test_a_server_process_imports_no_heavy_modules_and_makes_no_validators_before_it_needs_them():
    answer = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(answer.stdout)
    assert HEAVY.isdisjoint(found["modules"])
    assert found["operations"] > 90
    assert found["encoders"] == 0
    assert found["models"] > 20
    assert found["validators"] == 0
