"""The damage head as a file: what is written is read, what is broken is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inspector.head import DamageHead, Novelty
from models import ModelError

LINEAR = DamageHead(np.array([1.0, -2.0]), 0.5)
UNUSUAL = DamageHead(np.array([1.0, -2.0]), 0.5, Novelty(np.array([1.0, 1.0]), np.array([1.0, 2.0]), 3.0))


@pytest.mark.parametrize("head", [LINEAR, UNUSUAL])
def test_a_head_comes_back_from_its_file(tmp_path: Path, head: DamageHead) -> None:
    head.write(tmp_path / "head.npz")
    again = DamageHead.read(tmp_path / "head.npz")
    features = np.array([[1.0, 1.0], [2.0, 5.0]], np.float32)
    np.testing.assert_allclose(again.logits(features), head.logits(features), rtol=1e-6)
    assert (again.novelty is None) == (head.novelty is None)


def test_far_from_the_usual_counts_by_its_weight() -> None:
    features = np.array([2.0, 3.0], np.float32)  # one spread away in both
    assert LINEAR.logit(features) == pytest.approx(2 - 6 + 0.5)
    assert UNUSUAL.logit(features) == pytest.approx(2 - 6 + 0.5 + 3.0)
    assert UNUSUAL.logit(np.array([1.0, 1.0], np.float32)) == pytest.approx(1 - 2 + 0.5)


def test_features_of_another_network_are_refused() -> None:
    with pytest.raises(ModelError, match="reads 2 features and the network gives 3"):
        LINEAR.logit(np.zeros(3, np.float32))


@pytest.mark.parametrize(
    "changed",
    [
        {"spread": np.array([1.0, 0.0], np.float32)},
        {"spread": np.array([1.0], np.float32)},
        {"centre": np.array([np.nan, 0.0], np.float32)},
        {"novelty_weight": np.array([1.0], np.float32)},
        {"centre": np.array([1, 2])},
    ],
)
def test_a_broken_term_of_novelty_is_refused(tmp_path: Path, changed: dict[str, np.ndarray]) -> None:
    UNUSUAL.write(tmp_path / "head.npz")
    with np.load(tmp_path / "head.npz") as arrays:
        whole = dict(arrays)
    np.savez(tmp_path / "head.npz", allow_pickle=False, **{**whole, **changed})
    with pytest.raises(ModelError, match="novelty"):
        DamageHead.read(tmp_path / "head.npz")


def test_half_a_term_of_novelty_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "head.npz", weights=np.ones(2, np.float32), bias=np.float32(0), centre=np.ones(2, np.float32))
    with pytest.raises(ModelError, match="cannot be read"):
        DamageHead.read(tmp_path / "head.npz")
