"""Engines that run a network: one small protocol, ONNX Runtime or OpenVINO behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import onnxruntime as ort

from inspector.detector import Floats

EngineName = Literal["onnxruntime", "openvino"]
CPU = ("CPUExecutionProvider",)


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

    side: pixels a side of its input, where the graph leaves them open. threads: of one inference. providers: in order
    of preference; asked for and absent is an error, not a fall-back, so that nobody believes to run on a GPU and does
    not. Spinning is off: a waiting thread must not take the core from the camera and the kiosk, which live on the same
    two.
    """

    def __init__(self, path: Path, *, side: int, threads: int = 2, providers: Sequence[str] = CPU) -> None:
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
        _, *shape = self._session.get_inputs()[0].shape
        self._shape = [length if isinstance(length, int) else side for length in shape]

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        """See `Engine`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, {self._input: batch}), strict=True))

    def warm_up(self) -> None:
        """Two runs: the first plans memory, the second uses the plan."""
        blank = np.zeros((1, *self._shape), np.float32)
        for _ in range(2):
            self.infer(blank)


class OpenVinoEngine:
    """OpenVINO on the processor (extra `openvino`): on Intel about two thirds of ONNX Runtime's time; on AMD no gain.

    Compiled for one picture at a time: a batch gains nothing on a processor, and known shapes are faster. Computes in
    float32: left to itself OpenVINO takes bfloat16 where the processor has it, which moves boxes by several pixels and
    turns verdicts. Threads are not pinned to cores, which camera and kiosk need as well.
    """

    def __init__(self, path: Path, *, side: int, threads: int = 2) -> None:
        try:
            import openvino  # noqa: PLC0415 -- an extra, and seconds to import
        except ImportError as error:
            raise EngineError(
                "the engine openvino is not installed here: pip install 'lastlook[openvino]', or use onnxruntime"
            ) from error
        core = openvino.Core()
        network = core.read_model(path)
        _, *inner = network.inputs[0].partial_shape
        network.reshape([1, *inner])
        self._outputs = [output.get_any_name() for output in network.outputs]  # compiling adds names of its own
        told = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled = core.compile_model(network, "CPU", told)
        self._idle: deque[Any] = deque()
        self._side = side

    def infer(self, batch: Floats) -> Mapping[str, Floats]:
        """See `Engine`. As many requests are kept as there were ever callers at once."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            told = [request.infer({0: batch[i : i + 1]}) for i in range(len(batch))]
            return {name: np.concatenate([answer[i] for answer in told]) for i, name in enumerate(self._outputs)}
        finally:
            self._idle.append(request)

    def warm_up(self) -> None:
        """See `Engine`."""
        self.infer(np.zeros((1, 3, self._side, self._side), np.float32))


def open_engine(name: EngineName, path: Path, *, side: int, threads: int = 2, providers: Sequence[str] = CPU) -> Engine:
    """The engine of this name on a network. providers: of ONNX Runtime alone. Raises EngineError."""
    if name == "openvino":
        return OpenVinoEngine(path, side=side, threads=threads)
    return OnnxEngine(path, side=side, threads=threads, providers=providers)
