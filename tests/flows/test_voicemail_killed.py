"""A server killed in the middle of an upload: no half voicemail, and the slot can be filled afterwards."""

from types import SimpleNamespace

import httpx
import pytest

from tests.kit.mongod import mongod_in_memory
from tests.kit.server_process import ServerProcess
from tests.kit.voicemail import upload, wav

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("failpoint", ["voicemail-chunk-written", "voicemail-written"])
def test_a_kill_leaves_nothing_that_can_be_heard(failpoint, tmp_path):
    failpoints = tmp_path / "failpoints"
    failpoints.mkdir()
    with mongod_in_memory() as mongod:
        environment = {"MONGODB_URI": mongod.uri, "APP_KEY": "k" * 40, "FLEXIAPI_FAILPOINTS": str(failpoints)}
        process = ServerProcess(tmp_path / "data", **environment)
        headers = {"x-api-key": process.admin_key()}
        process.start()
        try:
            with httpx.Client(base_url=process.url, headers=headers, timeout=60) as http:
                server = SimpleNamespace(http=http, url=process.url)
                path = "/api/accounts/me/voicemails"
                slot = http.post(path, json={"content_type": "audio/wav"}).json()
                (failpoints / failpoint).touch()
                with pytest.raises(httpx.TransportError):
                    upload(server, slot, wav(600_000))
                process.child.wait(30)
                process.start()
                assert http.get(path).json() == []
                assert upload(server, slot, wav(600_000)).status_code == 200
                assert len(http.get(path).json()) == 1
        finally:
            process.stop()
