"""The JSON contract: design.md's shape, both ways, and nothing unknown let in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inspector.spec import ExpectedItem, PackingSpec
from inspector.verdict import MarkSeen
from inspector.wire import OrderDocument, VerdictDocument
from tests.inspector.scripted import PARCEL, Scripted, eye, frame

ORDER = {
    "items": [{"item": "usb-cable", "quantity": 2}],
    "marks": ["fragile"],
    "packaging": "carton",
    "tracking_number": "LL000000001",
    "promised_by": "2026-11-25",
    "zone": "Asia/Shanghai",
    "destination": {"country": "BR", "postcode": "01310"},
    "customer": {"name": "李雷", "language": "zh"},
}


def test_the_printed_line_has_the_contracts_shape() -> None:
    engine = Scripted(
        [PARCEL],
        damage=3.0,
        spots={"tear": (slice(16, 24), slice(0, 8), 0.9)},
    )
    spec = PackingSpec(items=(ExpectedItem("usb-cable"),), tracking_number="LL000000001")
    inspector = eye(engine, marks=[MarkSeen("fragile", 0.9, (100, 100, 30, 30), 90)])
    told = json.loads(VerdictDocument.of(inspector.inspect([frame()], spec), image="a.jpg").model_dump_json())
    assert told["image"] == "a.jpg"
    assert told["verdict"] == "hold"
    assert told["reasons"][0] == "torn on the left side"
    assert told["parcels"][0].keys() >= {"box", "score"}
    assert told["checks"].keys() == {"integrity", "marks", "contents", "label"}
    assert told["checks"]["integrity"].keys() >= {"result", "score", "threshold", "findings"}
    assert told["checks"]["integrity"]["findings"][0].keys() >= {"kind", "severity", "score", "box", "text"}
    assert told["checks"]["marks"]["detections"][0].keys() >= {"mark", "score", "box", "rotation"}
    assert told["checks"]["contents"]["items"][0]["item"] == "usb-cable"
    assert told["checks"]["label"]["result"] == "fail"
    assert told["models"][0].keys() == {"name", "version", "sha256"}
    assert told["timings_ms"].keys() >= {"infer", "total"}


@given(damage=st.floats(-6, 6), score=st.floats(0, 1))
def test_a_verdict_survives_the_way_through_json(damage: float, score: float) -> None:
    spec = PackingSpec(marks=frozenset({"fragile"}))
    inspector = eye(Scripted([PARCEL], damage=damage), marks=[MarkSeen("fragile", score, (100, 100, 30, 30), 90)])
    verdict = inspector.inspect([frame()], spec)
    document = VerdictDocument.of(verdict)
    again = VerdictDocument.model_validate_json(document.model_dump_json())
    assert VerdictDocument.of(again.to_verdict()) == document
    assert again.to_verdict().decision is verdict.decision
    assert replace(again.to_verdict(), timings_ms={}).reasons == verdict.reasons


def test_an_order_becomes_a_packing_spec() -> None:
    spec = OrderDocument.model_validate(ORDER).spec()
    assert spec.items == (ExpectedItem("usb-cable", 2),)
    assert spec.marks == {"fragile"}
    assert str(spec.promised_by) == "2026-11-25"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mark": ["fragile"]}, "Extra inputs"),
        ({"marks": ["fragil"]}, "unknown mark 'fragil'"),
        ({"zone": "Mars/Olympus"}, "unknown time zone"),
        ({"zone": "../etc"}, "unknown time zone"),
        ({"items": [{"item": "a", "quantity": 0}]}, "greater than or equal to 1"),
        ({"promised_by": "soon"}, "valid date"),
        ({"destination": {"country": "Brazil"}}, "pattern"),
    ],
)
def test_an_order_with_a_mistake_is_refused_with_what_is_wrong(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        OrderDocument.model_validate({**ORDER, **change})
