"""Small folders that look like models: everything a registry reads, and no network."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

NOT_WORSE = {"against": "parcel/1.0.0", "worse": False, "text": "AUROC 0.98 and 0.96 on 41 photos"}
WORSE = {"against": "parcel/1.0.0", "worse": True, "text": "AUROC 0.91 and 0.96 on 41 photos"}


def card(version: str, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": "parcel",
        "version": version,
        "input": {"side": 320},
        "classes": ["parcel"],
        "damage_kinds": ["crush"],
        "head": {"file": "head.npz"},
        "crop_margin": 0.1,
        "nms_iou": 0.5,
        "calibration": {"kind": "platt", "a": 1.0, "b": 0.0},
        "thresholds": {
            "parcel": {"found": 0.5, "doubtful": 0.2},
            "shipping_label": {"found": 0.5},
            "marks": {},
            "integrity": {"fail": 0.7, "unsure": 0.4},
            "damage_map": {},
        },
        "comparison": NOT_WORSE,
    }
    return {**told, **changes}


def files(version: str) -> dict[str, Path | bytes]:
    return {"model.onnx": b"the network", "head.npz": f"the head of {version}".encode(), "golden/golden.json": b"{}"}


def folder(root: Path, version: str, **changes: Any) -> Path:
    """root/parcel/<version>, whole."""
    made = root / "parcel" / version
    for name, content in files(version).items():
        assert isinstance(content, bytes)
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(content)
    digests = {name: sha256(bytes(content)).hexdigest() for name, content in files(version).items()}
    (made / "card.json").write_text(json.dumps({**card(version, **changes), "files": digests}))
    return made
