"""The eye: pictures of a parcel and its packing spec in, a verdict out. No network, no database, no clock of its own.

>>> from inspector import Inspector, PackingSpec, decode
>>> eye = Inspector.load()
>>> verdict = eye.inspect([decode(data, name="parcel.jpg")], PackingSpec(marks=frozenset({"fragile"})))
>>> verdict.decision, verdict.reasons
"""

from inspector.eye import Inspector, InspectorSettings
from inspector.frame import Frame, FrameError, Limits, decode
from inspector.golden import GoldenError
from inspector.runtime import Engine, EngineError
from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.verdict import CheckResult, Decision, Fault, Finding, Result, Verdict

__all__ = [
    "Check",
    "CheckResult",
    "Decision",
    "Engine",
    "EngineError",
    "ExpectedItem",
    "Fault",
    "Finding",
    "Frame",
    "FrameError",
    "GoldenError",
    "Inspector",
    "InspectorSettings",
    "Limits",
    "PackingSpec",
    "Result",
    "Stage",
    "Verdict",
    "decode",
]
