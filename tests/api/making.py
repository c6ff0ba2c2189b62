"""What a bench would send, made in memory for the tests of the API."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest

on_sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests of what never reaches a database: once is enough."""


def jpeg(level: int = 220, *, side: int = 96) -> bytes:
    """An even grey JPEG; the tests' eye calls a dark one torn."""
    return cv2.imencode(".jpg", np.full((side, side, 3), level, np.uint8))[1].tobytes()


def png(level: int = 220, *, side: int = 96) -> bytes:
    return cv2.imencode(".png", np.full((side, side, 3), level, np.uint8))[1].tobytes()


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes whose header promises any number of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def verdict(decision: str = "release", reasons: tuple[str, ...] = (), passed: tuple[str, ...] = ()) -> dict[str, Any]:
    """A VerdictDocument as a bench sends it. passed: the checks besides integrity that were asked for and passed."""
    torn = {
        "kind": "tear", "severity": 0.6, "score": 0.9, "box": [1, 2, 3, 4], "text": "torn on the left side", "frame": 0,
    }  # fmt: skip
    held = decision == "hold"
    told: dict[str, Any] = {
        "verdict": decision,
        "reasons": list(reasons) or (["torn on the left side"] if held else []),
        "parcels": [{"box": [0, 0, 90, 90], "score": 0.97, "frame": 0}],
        "checks": {
            "integrity": {
                "result": "fail" if held else "pass",
                "score": 0.93 if held else 0.04,
                "threshold": 0.41,
                "findings": [torn] if held else [],
            },
            "marks": {"result": "skipped", "findings": [], "detections": [], "reason": "no marks asked for"},
            "contents": {"result": "skipped", "findings": [], "items": [], "reason": "no items asked for"},
            "label": {"result": "skipped", "findings": [], "codes": [], "reason": "no number asked for"},
        },
        "models": [{"name": "parcel", "version": "0.1.0", "sha256": "0" * 64}],
        "timings_ms": {"total": 29.4},
    }
    for check in passed:
        told["checks"][check] |= {"result": "pass", "reason": None}
    return told


def inspection(order: str = "A1", decision: str = "release", **changes: Any) -> dict[str, Any]:
    """An InspectionDocument with one frame of the sealed parcel."""
    return {
        "order": order,
        "order_revision": 1,
        "station": "bench-1",
        "operator": "li",
        "captured_at": "2026-11-22T08:59:00Z",
        "frames": [{"name": "sealed.jpg", "stage": "sealed", "camera": "top"}],
        "verdict": verdict(decision),
        **changes,
    }


def form(document: dict[str, Any], pictures: dict[str, bytes]) -> list[tuple[str, tuple[str | None, bytes, str]]]:
    """The `files` argument of a client for PUT /v1/inspections/{id}."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return [
        ("inspection", (None, body, "application/json")),
        *(("pictures", (name, content, "image/jpeg")) for name, content in pictures.items()),
    ]
