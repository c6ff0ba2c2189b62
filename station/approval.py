"""Who may release a held parcel: a second person, by PIN, with wrong PINs slowed down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

COST, BLOCK, LANES = 2**14, 8, 1
"""scrypt's n, r, p: RFC 7914's interactive setting, about 50 ms and 16 MB here."""
FREE_TRIES = 2
"""Wrong PINs before the waiting begins."""
LONGEST_WAIT = 300.0
"""Seconds; waiting doubles from 2 s up to this."""


def hash_pin(pin: str, salt: bytes | None = None) -> str:
    """A PIN of 4 to 12 digits -> `scrypt$SALT$HASH` (base64). Raises ValueError."""
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 12):
        raise ValueError("a PIN has 4 to 12 digits")
    salt = salt or os.urandom(16)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(_derive(pin, salt)).decode()}"


def known_hash(text: str) -> str:
    """The text unchanged when `hash_pin` could have made it, else ValueError."""
    try:
        name, salt, digest = text.split("$")
        sizes = len(base64.b64decode(salt, validate=True)), len(base64.b64decode(digest, validate=True))
    except ValueError:
        name, sizes = "", (0, 0)
    if name != "scrypt" or sizes[0] < 16 or sizes[1] != 32:
        raise ValueError("not a hashed PIN; make one with `lastlook station hash-pin`")
    return text


def pin_matches(pin: str, hashed: str) -> bool:
    """Compares in constant time."""
    _, salt, digest = hashed.split("$")
    return hmac.compare_digest(_derive(pin, base64.b64decode(salt)), base64.b64decode(digest))


def _derive(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=COST, r=BLOCK, p=LANES, dklen=32)


class ApprovalError(Exception):
    """The override is not allowed. code: a word for the kiosk's language file. wait: seconds until the next try."""

    def __init__(self, code: str, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.code = code
        self.wait = wait


@dataclass(frozen=True, slots=True)
class _Tries:
    wrong: int = 0
    not_before: float = 0.0


class Approval:
    """Checks a second person's PIN. hashes: approver -> hashed PIN. monotonic: seconds of a steady clock.

    Wrong tries are counted over all approvers together, so that going round the names gains nothing.
    """

    def __init__(self, hashes: Mapping[str, str], monotonic: Callable[[], float]) -> None:
        self._hashes = dict(hashes)
        self._monotonic = monotonic
        self._tries = _Tries()
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody who may approve."""
        return tuple(self._hashes)

    def check(self, *, operator: str, approver: str, pin: str) -> None:
        """Returns when `approver` may release what `operator` packed and the PIN is right; raises ApprovalError."""
        if not operator:
            raise ApprovalError("no_operator", "Choose who is packing first.")
        if same_person(operator, approver):
            raise ApprovalError("same_person", "The packer cannot release the own parcel; ask a second person.")
        with self._lock:
            wait = self._tries.not_before - self._monotonic()
            if wait > 0:
                raise ApprovalError("wait", f"Too many wrong PINs. Try again in {wait:.0f} s.", wait)
            hashed = self._hashes.get(approver)
            known = hashed or hash_pin("0000", b"\0" * 16)  # an unknown name takes as long as a known one
            if pin_matches(pin, known) and hashed:
                self._tries = _Tries()
                return
            self._tries = self._after_wrong()
        raise ApprovalError("wrong_pin", "The PIN is wrong.", max(0.0, self._tries.not_before - self._monotonic()))

    def _after_wrong(self) -> _Tries:
        wrong = self._tries.wrong + 1
        wait = 0.0 if wrong <= FREE_TRIES else min(2.0 ** min(wrong - FREE_TRIES, 16), LONGEST_WAIT)
        return _Tries(wrong, self._monotonic() + wait)


def same_person(one: str, other: str) -> bool:
    """Names as people type them: case and outer spaces do not make another person."""
    return one.strip().casefold() == other.strip().casefold()
