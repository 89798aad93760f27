"""Stateless signed DIGEST nonces: 32 letters and digits over time, random bytes, account and sign-in epoch."""

import hmac
import os
import struct
from hashlib import blake2b

from flexiapi.crypto.keys import ALPHABET

_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_PAIR_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_BASE = len(_PAIRS)
_LENGTH = 32
_HEAD = struct.Struct(">I7s")
_MAC_BYTES = 12
_BYTES = _HEAD.size + _MAC_BYTES


class Nonces:
    """Makes nonces of an account, and checks whose and how old a nonce is.

    `epoch` is a number of the account that changes with its password or deactivation: older nonces are then invalid.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, account_id: int, epoch: int, now: float) -> str:
        """Return a fresh nonce; `now` is Unix time in seconds."""
        head = _HEAD.pack(int(now), os.urandom(7))
        value = int.from_bytes(head + self._mac(head, account_id, epoch), "big")
        pairs = []
        for _ in range(_LENGTH // 2):
            value, rest = divmod(value, _BASE)
            pairs.append(_PAIRS[rest])
        return "".join(pairs)

    def issued_at(self, nonce: str, account_id: int, epoch: int) -> int | None:
        """Return the Unix time at which the nonce was made, or `None` if it is not of this account and epoch."""
        if len(nonce) != _LENGTH:
            return None
        value = 0
        for start in range(_LENGTH - 2, -1, -2):
            digit = _PAIR_VALUES.get(nonce[start : start + 2])
            if digit is None:
                return None
            value = value * _BASE + digit
        if value >= 1 << 8 * _BYTES:
            return None
        raw = value.to_bytes(_BYTES, "big")
        head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
        if not hmac.compare_digest(mac, self._mac(head, account_id, epoch)):
            return None
        issued: int = _HEAD.unpack(head)[0]
        return issued

    def _mac(self, head: bytes, account_id: int, epoch: int) -> bytes:
        return blake2b(head + struct.pack(">QQ", account_id, epoch), key=self._key, digest_size=_MAC_BYTES).digest()
