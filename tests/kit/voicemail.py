"""Voicemails that tests leave as Flexisip does."""

import struct

import httpx

BOUNDARY = "simple boundary"
CONTENT_TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'


def wav(size: int = 4000) -> bytes:
    """A sound of that many bytes."""
    data = size - 44
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", size - 8, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", data
    )
    return head + (bytes(range(256)) * (data // 256 + 1))[:data]


def opus(size: int = 4000) -> bytes:
    """A beginning of an Ogg file with Opus, and other bytes."""
    return (b"OggS\x00\x02" + bytes(20) + b"\x01\x13" + b"OpusHead" + bytes(size))[:size]


def form(content: bytes, name: str = "file", filename: str = "/var/lib/flexisip/voicemail/a b.wav") -> bytes:
    """A body as Flexisip's voicemail server sends it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return f"{head}Content-Type: audio/wav\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def announce(server, person, owner=None, **fields):
    """Ask for a slot as `person`, for the account of `owner`, by default its own."""
    path = "me" if owner is None else owner.id
    body = {"sip_from": "sip:bob@sip.example.org", "content_type": "audio/wav", **fields}
    return server.http.post(f"/api/accounts/{path}/voicemails", json=body, headers=person.headers)


def upload(server, slot: dict, content: bytes | None = None, **options) -> httpx.Response:
    """Send a sound to a slot."""
    path = "/api/files/" + slot["upload_url"].rpartition("/")[2]
    body = options.pop("body", None) or form(wav() if content is None else content)
    return server.http.post(path, content=body, headers={"Content-Type": CONTENT_TYPE, **options.pop("headers", {})})


def left(server, person, content: bytes | None = None, **fields) -> dict:
    """Leave a voicemail for a person, and return it as its owner sees it."""
    slot = announce(server, person, **fields).json()
    answer = upload(server, slot, content)
    assert answer.status_code == 200, answer.text
    return server.http.get(f"/api/accounts/me/voicemails/{slot['id']}", headers=person.headers).json()


def stored(server) -> tuple[int, int, int]:
    """The number of files, of chunks and of leftovers in the database."""
    names = ("voicemail_files.files", "voicemail_files.chunks", "voicemail_leftovers")

    async def counts():
        return [await server.store._database[name].count_documents({}) for name in names]

    return tuple(server.run(counts()))
