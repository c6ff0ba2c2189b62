"""What the quality gate measures on real and rendered parcels, sharp and smeared: where its limits come from.

usage: python -m bench.quality LICENSED_DIR RENDERS_DIR   (each with images/ and annotations.json)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

import models
from inspector.eye import Inspector
from inspector.frame import Frame, decode
from inspector.quality import Quality, QualityLimits, measure, whole_sharpness


def frames(folder: Path) -> list[Frame]:
    """The folder's pictures that show a sealed parcel."""
    told = json.loads((folder / "annotations.json").read_text("utf-8"))["images"]
    names = [i["file_name"] for i in told if i["integrity"] in ("intact", "damaged") and not i.get("open")]
    return [decode((folder / "images" / name).read_bytes(), name=name) for name in names]


def smeared(frame: Frame, length: int) -> Frame:
    """As if the parcel had moved by `length` pixels of a 1280-pixel-wide picture during the exposure."""
    pixels = max(1, round(length * frame.size[0] / 1280))
    kernel = np.full((1, pixels), 1 / pixels, np.float32)
    return Frame(np.asarray(cv2.filter2D(frame.bgr, -1, kernel), np.uint8), frame.name)


def main() -> None:
    """Print percentiles and what the limits in force would refuse."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    model = models.load()
    eye = Inspector.open(model)
    limits = QualityLimits()
    for folder in parser.parse_args().folders:
        for length in (1, 6, 12, 24):
            seen: list[Quality] = []
            whole: list[float] = []
            for frame in frames(folder):
                view = eye.look(smeared(frame, length))
                whole.append(whole_sharpness(view.frame))
                if view.main is not None and view.main.score >= model.card.thresholds.parcel.found:
                    seen.append(measure(view))
            table = np.array([(q.sharpness, q.level, q.glare, q.sides) for q in seen])
            print(f"{folder.name}, smeared by {length} px of 1280: {len(seen)} parcels")
            for name, column in zip(("sharpness", "level", "glare", "sides"), table.T, strict=True):
                print(
                    f"  {name:10}",
                    " ".join(f"{v:.3f}" for v in np.percentile(column, [0, 1, 5, 25, 50, 75, 95, 99, 100])),
                )
            print(f"  refused as blurred: {(table[:, 0] < (limits.sharpness or 0)).mean():.3f}")


if __name__ == "__main__":
    main()
