"""What is printed on a ware: every side in the ware's own style, the same at every call, no two wares alike."""

from __future__ import annotations

import numpy as np

from models.scenes.blender.wrapping import TEXELS, Style, art


def printed(seed: int, side: str, proportion: float = 1.5) -> np.ndarray:
    return art(Style.of(np.random.default_rng(seed)), proportion, side)


def test_a_print_has_the_proportion_it_is_asked_for() -> None:
    for proportion in (0.3, 1.0, 2.5):
        height, width = printed(1, "front", proportion).shape[:2]
        assert max(height, width) == TEXELS
        assert abs(width / height - proportion) < 0.05 * proportion


def test_a_print_follows_from_its_seed_and_differs_from_another() -> None:
    assert np.array_equal(printed(4, "front"), printed(4, "front"))
    apart = [np.abs(printed(a, "front").astype(float) - printed(a + 1, "front")).mean() for a in range(0, 40, 2)]
    assert min(apart) > 5


def test_front_and_back_share_their_inks() -> None:
    nearer = 0
    for seed in range(20):
        style = Style.of(np.random.default_rng(seed))
        front, back = (art(style, 1.5, side).reshape(-1, 3).mean(0) for side in ("front", "back"))
        stranger = printed(seed + 100, "back").reshape(-1, 3).mean(0)
        nearer += np.linalg.norm(front - back) < np.linalg.norm(front - stranger)
    assert nearer >= 15
