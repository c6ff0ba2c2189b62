"""What the kiosk page is told: the bench as plain JSON."""

from __future__ import annotations

from typing import Any

from inspector.spec import Check
from inspector.wire import VerdictDocument
from station.advice import Advice, missing_marks
from station.bench import Moment
from station.running import Station

Json = dict[str, Any]


def view(station: Station) -> Json:
    """The whole state in one document; the page draws itself from it and keeps none of its own."""
    moment = station.bench.moment
    return {
        "turn": station.bench.turn,
        "station": station.settings.name,
        "operator": station.bench.operator,
        "operators": list(station.settings.operators),
        "approvers": list(station.approval.names),
        "language": station.settings.language,
        "weight_g": station.bench.scale.weight_g,
        "models": [f"{model.name}/{model.version}" for model in station.models],
        "parcel": _parcel(moment),
        "camera": _camera(station),
        "api": _api(station),
    }


def _parcel(moment: Moment) -> Json:
    order, verdict = moment.order, moment.verdict
    spec = order.spec if order else None
    return {
        "phase": moment.phase.value,
        "do": _advice(moment.do),
        "notice": _advice(moment.notice) if moment.notice else None,
        "problem": moment.problem,
        "order": order.id if order else moment.scanned,
        "stage": moment.stage.value,
        "items": [{"item": i.item, "quantity": i.quantity} for i in spec.items] if spec else [],
        "marks": sorted(spec.marks) if spec else [],
        "packaging": spec.packaging if spec else None,
        "required": sorted(spec.required) if spec else [],
        "inspection": moment.inspection,
        "pictures": [
            {"name": p.frame.name, "stage": p.frame.stage.value, "width": p.frame.size[0], "height": p.frame.size[1]}
            for p in moment.pictures
        ],
        "verdict": VerdictDocument.of(verdict).model_dump(mode="json") if verdict else None,
        "missing_marks": _missing(moment),
        "override": {"approved_by": moment.override.approved_by, "reason": moment.override.reason}
        if moment.override
        else None,
        "marked_wrong": moment.marked_wrong,
    }


def _missing(moment: Moment) -> list[str]:
    marks = moment.verdict.checks.get(Check.MARKS) if moment.verdict else None
    return missing_marks(marks) if marks else []


def _advice(advice: Advice) -> Json:
    return {"code": advice.code, "words": dict(advice.words)}


def _camera(station: Station) -> Json:
    status = station.capture.status
    return {"state": status.state.value, "since": status.since.isoformat(), "reason": status.reason}


def _api(station: Station) -> Json:
    status, queue = station.sender.status, station.spool.queue()
    return {
        "state": status.state.value,
        "since": status.since.isoformat(),
        "reason": status.reason,
        "waiting": queue.waiting,
        "oldest": queue.oldest.isoformat() if queue.oldest else None,
        "parked": queue.parked,
        "parked_latest": [
            {"inspection": e.inspection, "kind": e.kind.value, "note": e.note} for e in queue.parked_latest
        ],
    }
