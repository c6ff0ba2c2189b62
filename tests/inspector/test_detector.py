"""Geometry between picture and network, and the choice among overlapping boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.detector import PAD, crop_around, decode_boxes, letterbox, merge, place, suppress, to_input

sizes = st.integers(1, 900)


@given(width=sizes, height=sizes, side=st.sampled_from([32, 320]), x=st.floats(0, 1), y=st.floats(0, 1))
def test_a_box_comes_back_to_where_it_was(width: int, height: int, side: int, x: float, y: float) -> None:
    canvas, placement = place(np.zeros((height, width, 3), np.uint8), side, left=7, top=3)
    assert canvas.shape == (side, side, 3)
    px, py = x * width, y * height
    on_canvas = (px * placement.scale + placement.dx, py * placement.scale + placement.dy)
    box = np.array([[*on_canvas, side, side]], np.float32)
    back = placement.to_picture(box)[0]
    assert back[:2] == pytest.approx((px + 7, py + 3), abs=0.02 / placement.scale + 1e-3)


@given(width=sizes, height=sizes)
def test_a_letterboxed_picture_is_whole_centred_and_padded_grey(width: int, height: int) -> None:
    canvas, scale, dx, dy = letterbox(np.zeros((height, width, 3), np.uint8), 64)
    inside = (canvas == 0).all(axis=2)
    assert inside[dy : 64 - dy, dx : 64 - dx].any()
    assert scale == pytest.approx(64 / max(width, height))
    assert set(np.unique(canvas)) <= {0, PAD}
    assert abs((64 - inside.any(axis=0).sum()) - 2 * dx) <= 1
    assert abs((64 - inside.any(axis=1).sum()) - 2 * dy) <= 1


@given(
    width=sizes,
    height=sizes,
    box=st.tuples(st.floats(-50, 950), st.floats(-50, 950), st.floats(0, 900), st.floats(0, 900)),
    margin=st.floats(0, 1),
)
def test_a_crop_is_never_empty_and_lies_in_the_picture(
    width: int, height: int, box: tuple[float, float, float, float], margin: float
) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    x, y, w, h = box
    crop, left, top = crop_around(picture, (min(x, width - 1.0), min(y, height - 1.0), w, h), margin)
    assert crop.shape[0] >= 1
    assert crop.shape[1] >= 1
    assert left >= 0
    assert top >= 0
    assert left + crop.shape[1] <= width
    assert top + crop.shape[0] <= height


def test_the_network_gets_red_first_from_minus_one_to_one() -> None:
    canvas = np.zeros((4, 4, 3), np.uint8)
    canvas[:] = (0, 127, 255)
    batch = to_input(canvas)
    assert batch.shape == (1, 3, 4, 4)
    assert batch.dtype == np.float32
    assert batch[0, :, 0, 0] == pytest.approx((1.0, -0.5 / 127.5, -1.0), abs=1e-6)


boxes = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40), st.integers(1, 40), st.integers(0, 1)),
    max_size=12,
)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, w) * max(0.0, h)
    return float(shared / (a[2] * a[3] + b[2] * b[3] - shared))


@given(boxes=boxes, seed=st.integers(0, 1000))
def test_suppression_is_the_greedy_one_within_each_class(
    boxes: list[tuple[int, int, int, int, int]], seed: int
) -> None:
    xywh = np.array([b[:4] for b in boxes], np.float32).reshape(-1, 4)
    classes = np.array([b[4] for b in boxes], np.int64)
    scores = (np.random.default_rng(seed).permutation(len(boxes)) / 20 + 0.1).astype(np.float32)
    expected: list[int] = []
    for i in np.argsort(-scores):
        if all(classes[i] != classes[j] or _iou(xywh[i], xywh[j]) <= 0.5 for j in expected):
            expected.append(int(i))
    assert suppress(xywh, scores, classes, 0.5).tolist() == expected


def test_raw_output_becomes_detections_in_the_picture() -> None:
    _, placement = place(np.zeros((100, 200, 3), np.uint8), 320)  # scale 1.6, 80 px of grey above
    raw = np.array([[16, 96, 160, 176], [16, 96, 161, 176], [0, 0, 5, 5]], np.float32)
    scores = np.array([[0.9, 0.1], [0.8, 0.1], [0.1, 0.05]], np.float32)
    turned = np.array([[-1, 0], [0, 1], [0, 1]], np.float32)
    found = decode_boxes(raw, scores, turned, placement, floor=0.3, iou=0.5)
    assert len(found) == 1
    assert found.boxes[0] == pytest.approx((10, 10, 90, 50))
    assert found.rotations[0] == pytest.approx(270)
    both = merge(found, found, 0.5)
    assert len(both) == 1
    assert found.of(0, 0.95).scores.size == 0
