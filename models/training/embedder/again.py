"""Writes a released embedder's graph anew, without training: `python -m models.training.embedder.again --base DIR ...`.

The same network, projections, cohort and points, as a new version. Its descriptions differ in the fourth digit, so
galleries describe their references anew.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from inspector.embedder import COHORT, letterbox
from models.training.embedder.crops import photo_crops, render_crops
from models.training.embedder.export import ENOUGH, agreement, released, write_graph
from models.training.embedder.network import as_tensor
from models.training.embedder.options import options
from models.training.embedder.release import WEIGHTS, for_people
from models.training.export import digest, write_card


def main() -> None:
    """See the module."""
    parser = options(__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of a released version")
    given = parser.parse_args()
    crops = [*photo_crops(given.contents), *render_crops(given.renders)]
    card = json.loads((given.base / "card.json").read_text("utf-8"))
    # late weights are rounded by half of these, and the graph is compared on the others
    order = np.random.default_rng(given.seed).permutation(len(crops))[: 2 * ENOUGH]
    boxed = np.stack([letterbox(crops[i].bgr, crops[i].mask, card["crop_side"])[0] for i in order])
    given.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(given.base / COHORT, given.out / COHORT)
    net, graph = released(given.base / "model.onnx"), given.out / "model.onnx"
    write_graph(net, graph, card["crop_side"], boxed[:ENOUGH])
    cosine = agreement(net, graph, as_tensor(list(boxed[ENOUGH:])))
    card |= {"version": given.out.name, "created": given.created.isoformat(), "weights": WEIGHTS}
    card["agreement"] = {"smallest_cosine_to_torch": round(cosine, 6)}
    card["metrics_of"] = f"embedder/{given.base.name}, of which this is the network"
    write_card(given.out, {name: told for name, told in card.items() if name != "files"})
    (given.out / "CARD.md").write_text(for_people(card, digest(graph)), "utf-8")


if __name__ == "__main__":
    main()
