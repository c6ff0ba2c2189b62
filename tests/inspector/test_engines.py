"""Engines: another one gives the same answers, and one that is not there says how to get it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import models
from inspector import Inspector, InspectorSettings, decode
from inspector.detector import letterbox, to_input
from inspector.runtime import EngineError, OnnxEngine, OpenVinoEngine, open_engine
from lastlook import main

openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="needs the extra openvino")


def _network() -> tuple[Path, int]:
    """The far look's."""
    model = models.load()
    return model.onnx, model.card.input.side


def _close() -> tuple[Path, int]:
    model = models.load()
    assert model.card.close is not None
    return model.folder / model.card.close.file, model.card.input.side


def test_an_engine_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    path, side = _network()
    with pytest.raises(EngineError, match=r"pip install 'lastlook\[openvino\]'"):
        open_engine("openvino", path, side=side)


def test_an_engine_that_is_not_installed_ends_the_command_before_it_judges(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    (tmp_path / "a.jpg").write_bytes(b"")
    done = CliRunner().invoke(main, ["inspect", "--engine", "openvino", str(tmp_path / "a.jpg")])
    assert done.exit_code == 2
    assert "lastlook[openvino]" in done.output


@openvino
def test_openvino_answers_what_onnx_runtime_answers() -> None:
    path, side = _network()
    batch = np.random.default_rng(5).uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    expected = OnnxEngine(path, side=side).infer(batch)
    answered = OpenVinoEngine(path, side=side).infer(batch)
    assert set(answered) == set(expected)
    assert {"boxes", "scores", "rotations"} <= set(answered)
    for name in answered:
        np.testing.assert_allclose(answered[name], expected[name], atol=5e-3, err_msg=name)


@openvino
def test_openvino_answers_nearly_the_same_in_8_bits() -> None:
    """Each engine rounds where it likes; on pictures, not on noise, which no range was set for."""
    path, side = _close()
    golden = sorted((models.load().folder / "golden").glob("*.jpg"))
    batch = np.concatenate([to_input(letterbox(decode(p.read_bytes(), name=p.name).bgr, side)[0]) for p in golden])
    expected, answered = OnnxEngine(path, side=side).infer(batch), OpenVinoEngine(path, side=side).infer(batch)
    for name in ("scores", "damage_map", "features"):
        assert np.abs(answered[name] - expected[name]).mean() < 0.05 * expected[name].std(), name


@openvino
def test_openvino_serves_several_callers_at_once() -> None:
    path, side = _network()
    engine = OpenVinoEngine(path, side=side, threads=1)
    inputs = [np.full((1, 3, side, side), level, np.float32) for level in np.linspace(-1, 1, 6)]
    alone = [engine.infer(x)["scores"] for x in inputs]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda x: engine.infer(x)["scores"], inputs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@openvino
def test_openvino_judges_the_golden_frames_as_the_card_tells() -> None:
    Inspector.load(InspectorSettings(engine="openvino"))  # raises GoldenError otherwise
