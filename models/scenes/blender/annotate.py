"""From the mask picture to annotations: boxes, COCO masks, label corners, angles of marks, what damage shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.scenes.blender.masks import box_of, run_lengths
from models.scenes.blender.paint import Array
from models.scenes.blender.parcel import Instance
from models.scenes.blender.scene import Placed, Shot

SEEN = 20
"""Pixels from which on damage counts as visible."""


def annotate(shot: Shot, parcels: list[Placed]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Annotations and the parcels' own records; pixels are those of the finished picture."""
    damage, instance, owner = (shot.codes[..., channel] for channel in range(3))
    found: list[dict[str, Any]] = []
    records = []
    for number, placed in enumerate(parcels):
        parcel = placed.parcel
        whole = owner == number + 1
        if not whole.any():
            continue
        mine = [_annotation(parcel.instances[0], whole, number)]
        edge = np.concatenate([whole[0], whole[-1], whole[:, 0], whole[:, -1]])
        mine[0].update(main=number == 0, truncated=bool(edge.any()))
        for thing in parcel.instances[1:]:
            mask = whole & (instance == thing.code)
            if mask.sum() < SEEN:
                continue
            mine.append(_annotation(thing, mask, number))
            if thing.spot is not None and thing.up is not None:
                mine[-1]["angle_deg"] = _angle(shot, placed, thing.spot, thing.up)
            if thing.category == "shipping_label" and thing.corners is not None:
                seat = parcel.place(str(thing.facts["side"]), thing.corners)
                quad = shot.camera.project(placed.world(seat))
                mine[-1]["quad"] = [[round(float(v), 1) for v in corner] for corner in quad]
        seen = []
        for harm in parcel.damages:
            mask = whole & (damage == harm.code)
            pixels = int(mask.sum())
            record: dict[str, Any] = {
                "type": harm.kind,
                "subtype": harm.subtype,
                "severity": round(harm.severity, 3),
                "visible_px": pixels,
                "visible_share": round(pixels / int(whole.sum()), 4),
            }
            if pixels >= SEEN:
                record["bbox"] = box_of(mask)
                kind = Instance(0, f"damage_{harm.kind}", {"subtype": harm.subtype, "severity": record["severity"]})
                mine.append(_annotation(kind, mask, number))
            seen.append(record)
        visible = any(record["visible_px"] >= SEEN for record in seen)
        records.append(
            {
                "parcel": number,
                "kind": parcel.kind,
                "bbox": mine[0]["bbox"],
                "integrity": "damaged" if parcel.damages else "intact",
                "integrity_visible": "damaged" if visible else "intact",
                "damages": seen,
                "size_m": [round(float(side), 3) for side in parcel.size],
            }
        )
        found += mine
    return found, records


def _annotation(thing: Instance, mask: Array, parcel: int) -> dict[str, Any]:
    return {
        "category": thing.category,
        "bbox": box_of(mask),
        "area": int(mask.sum()),
        "segmentation": run_lengths(mask),
        "iscrowd": 0,
        "parcel": parcel,
        **thing.facts,
    }


def _angle(shot: Shot, placed: Placed, spot: Array, up: Array) -> float:
    """Degrees clockwise in the picture from upright."""
    foot, head = shot.camera.project(placed.world(np.stack([spot, spot + 0.01 * up])))
    return round(float(np.degrees(np.arctan2(head[0] - foot[0], foot[1] - head[1])) % 360), 1)
