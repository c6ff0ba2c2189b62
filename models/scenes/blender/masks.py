"""Masks as COCO writes them: boxes and compressed run lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.scenes.blender.paint import Array


def box_of(mask: Array) -> list[int]:
    """[x, y, width, height] of a mask (h, w) that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]


def run_lengths(mask: Array) -> dict[str, Any]:
    """COCO's compressed run lengths of a mask (h, w): column-major runs, deltas to the run before the last, base 32."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    turns = np.flatnonzero(np.diff(flat))
    edges = np.concatenate([[0], turns, [mask.size]])
    counts = np.diff(edges)
    if counts[-1] == 0:
        counts = counts[:-1]
    letters = []
    for number, count in enumerate(counts):
        value = int(count) - (int(counts[number - 2]) if number > 2 else 0)
        more = True
        while more:
            part = value & 0x1F
            value >>= 5
            more = value != (-1 if part & 0x10 else 0)
            letters.append(chr(part + (0x20 if more else 0) + 48))
    return {"size": list(mask.shape), "counts": "".join(letters)}
