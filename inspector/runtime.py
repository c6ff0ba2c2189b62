"""Engines that run a network: one small protocol, ONNX Runtime behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort

from inspector.detector import Floats


class Engine(Protocol):
    """Runs one network. Safe to call from several threads at once."""

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        """Input float32 (n, 3, s, s) -> the network's outputs by name, float32."""

    def warm_up(self) -> None:
        """Make the first real picture as fast as the second."""


class EngineError(RuntimeError):
    """The network cannot be run here. str() says why and what to do."""


class OnnxEngine:
    """ONNX Runtime on one session, shared by all threads.

    threads: of one inference. providers: in order of preference; asked for and absent is an error, not a fall-back,
    so that nobody believes to run on a GPU and does not. Spinning is off: a waiting thread must not take the core from
    the camera and the kiosk, which live on the same two.
    """

    def __init__(
        self, path: Path, *, side: int, threads: int = 2, providers: Sequence[str] = ("CPUExecutionProvider",)
    ) -> None:
        absent = [name for name in providers if name not in ort.get_available_providers()]
        if absent:
            have = ", ".join(ort.get_available_providers())
            raise EngineError(f"ONNX Runtime has no {', '.join(absent)} here (it has {have}); change the providers")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(str(path), options, providers=list(providers))
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._side = side

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        """See `Engine`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, {self._input: batch}), strict=True))

    def warm_up(self) -> None:
        """Two runs: the first plans memory, the second uses the plan."""
        blank = np.zeros((1, 3, self._side, self._side), np.float32)
        for _ in range(2):
            self.infer(blank)
