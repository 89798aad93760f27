"""A running server whose backends' files change."""

import asyncio

import pytest


@pytest.fixture
def configure(tmp_path, monkeypatch, scripted):
    monkeypatch.setattr("flexiapi.notify.backend_watch.SECONDS", 0.01)
    (tmp_path / "key.pem").write_text("first")
    return {"sms": {"main": {"backend": "scripted", "file": str(tmp_path / "key.pem")}}}


def test_a_server_reads_a_changed_key_again(server, scripted, tmp_path):
    (tmp_path / "key.pem").write_text("another one")

    async def closed():
        while not scripted.Sms.closed:  # noqa: ASYNC110 - the backend is not of the test
            await asyncio.sleep(0.01)

    server.run(closed())
    assert server.parts.notifier.outlets[0].backend not in scripted.Sms.closed
