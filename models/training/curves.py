"""How training went, as a small picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # the backend has to be chosen first

PARTS = ("classes", "places", "turns", "damage")


def draw(runs: Sequence[Path], target: Path, window: int = 50) -> None:
    """The losses of several runs, smoothed over `window` steps, one panel a loss. runs: folders with log.jsonl."""
    figure, axes = plt.subplots(1, len(PARTS), figsize=(9.6, 2.6), dpi=80)
    for run in runs:
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
        for axis, part in zip(axes, PARTS, strict=True):
            values = np.array([line[part] for line in lines])
            if len(values) < window:
                continue
            smooth = np.convolve(values, np.ones(window) / window, "valid")
            axis.plot(np.arange(len(smooth)) + window, smooth, label=run.name, linewidth=1)
    for axis, part in zip(axes, PARTS, strict=True):
        axis.set(title=part, xlabel="step", ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target)
    plt.close(figure)
