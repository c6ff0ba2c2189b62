"""Makes a version of the embedder: `python -m models.training.embedder --contents DIR --renders DIR --out FOLDER`."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import torch

from inspector.embedder import letterbox
from models.training.embedder.crops import photo_crops, render_crops
from models.training.embedder.export import agreement, write_graph
from models.training.embedder.network import DIM, as_tensor, frozen
from models.training.embedder.release import measure, write_release

CROP_SIDE = 160
BATCH = 32


def main() -> None:
    """Centres the frozen network on the crops that may teach, exports it, measures it, and writes its card."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contents", type=Path, required=True, help="folder of the contents photos")
    arguments.add_argument("--renders", type=Path, required=True, help="folder of the renders")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the new version")
    arguments.add_argument("--created", type=date.fromisoformat, required=True, help="its day, as 2026-11-22")
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    crops = [*photo_crops(given.contents), *render_crops(given.renders)]
    boxed = [letterbox(crop.bgr, crop.mask, CROP_SIDE)[0] for crop in crops]
    batches = [as_tensor(boxed[i : i + BATCH]) for i in range(0, len(boxed), BATCH)]
    net = frozen()
    net.centre(batches)
    given.out.mkdir(parents=True, exist_ok=True)
    graph = given.out / "model.onnx"
    write_graph(net, graph, CROP_SIDE)
    cosine = agreement(net, graph, batches[0])
    print(f"{len(crops)} crops; graph {graph.stat().st_size / 1e6:.1f} MB; smallest cosine to torch {cosine:.6f}")
    write_release(given.out, created=given.created, crop_side=CROP_SIDE, dim=DIM, agreement=cosine)
    measure(given.out, crops)


if __name__ == "__main__":
    main()
