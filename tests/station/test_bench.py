"""One parcel's way over the bench."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from inspector.spec import Check, ExpectedItem, PackingSpec, Stage
from inspector.verdict import Fault, Finding, Result
from inspector.wire import VerdictDocument
from station.approval import Approval, ApprovalError, hash_pin
from station.bench import Bench, NotNowError, Phase, ReasonError
from station.orders import Order, OrderError
from station.record import Picture, picture_of
from station.spool import SpoolError
from tests.station.benchside import START, Kept, WrittenEye, bench, shot, take, torn

CABLE = PackingSpec(items=(ExpectedItem("usb-cable", 2),))
BLURRED = (Fault("blurred", "blurred"),)


def test_a_whole_parcel_is_released_and_its_record_says_so() -> None:
    kept = Kept()
    b = bench(keeper=kept)
    b.scan("A1")
    assert (b.moment.phase, b.moment.do.code) == (Phase.WAITING, "show_sealed")
    b.judge(take)
    assert (b.moment.phase, b.moment.do.code, b.moment.inspection) == (Phase.RELEASED, "ship", "id-1")
    (_, inspection, body) = kept.entries[0]
    told = json.loads(body)
    assert inspection == "id-1"
    assert (told["order"], told["order_revision"], told["station"], told["operator"]) == ("A1", 3, "bench-1", "li")
    assert told["captured_at"] == "2026-11-22T08:00:00.000Z"
    assert VerdictDocument.model_validate(told["verdict"]).verdict == "release"
    assert kept.pictures["id-1"] == ["sealed.jpg", "annotated-sealed.jpg"]


def test_the_light_is_green_only_after_the_record_is_durable() -> None:
    b = bench()
    phases = []

    class Watching(Kept):
        def add(self, *args: object) -> None:
            phases.append(b.moment.phase)

    b = bench(keeper=Watching())
    b.scan("A1")
    b.judge(take)
    assert phases == [Phase.JUDGING]
    assert b.moment.phase is Phase.RELEASED


def test_a_full_disk_holds_the_parcel_and_a_new_look_releases_it_when_there_is_room() -> None:
    kept = Kept()
    kept.failure = SpoolError("full", "The disk of this station is full.")
    b = bench(keeper=kept)
    b.scan("A1")
    b.judge(take)
    assert (b.moment.phase, b.moment.do.code) == (Phase.BLOCKED, "spool_full")
    assert "full" in (b.moment.problem or "")
    kept.failure = None
    b.scan("A1")
    b.judge(take)
    assert b.moment.phase is Phase.RELEASED


def test_a_torn_parcel_is_held_fixed_and_looked_at_again() -> None:
    kept, eye = Kept(), torn()
    b = bench(eye, kept)
    b.scan("A1")
    b.judge(take)
    assert (b.moment.phase, b.moment.do.code) == (Phase.HELD, "repack")
    eye.results.clear()
    eye.findings.clear()
    assert b.scan("A1"), "scanning the held order again means: look again"
    b.judge(take)
    assert b.moment.phase is Phase.RELEASED
    assert [entry[1] for entry in kept.entries] == ["id-1", "id-2"], "both looks are on record"


def test_an_order_with_items_is_looked_at_open_and_sealed_and_judged_from_both_pictures() -> None:
    kept = Kept()
    eye = WrittenEye()
    b = bench(eye, kept, {"B1": CABLE})
    b.scan("B1")
    assert (b.moment.stage, b.moment.do.code) == (Stage.OPEN, "show_open")
    b.judge(take)
    assert (b.moment.phase, b.moment.stage, b.moment.do.code) == (Phase.WAITING, Stage.SEALED, "seal")
    assert not kept.entries, "the open box alone is no verdict"
    b.judge(take)
    assert eye.seen == [("open.jpg",), ("open.jpg", "sealed.jpg")]
    assert b.moment.phase is Phase.RELEASED
    assert [f["name"] for f in json.loads(kept.entries[0][2])["frames"]] == ["open.jpg", "sealed.jpg"]


def test_contents_that_nobody_judged_hold_the_parcel_and_say_what_to_count() -> None:
    b = bench(WrittenEye({Check.CONTENTS: Result.SKIPPED}), orders={"B1": CABLE})
    b.scan("B1")
    b.judge(take)
    b.judge(take)
    assert (b.moment.phase, b.moment.do.code) == (Phase.HELD, "count_items")
    assert b.moment.do.words["items"] == [{"item": "usb-cable", "count": 2}]


def test_a_missing_item_is_told_while_the_box_is_still_open() -> None:
    missing = Finding("missing_item", 1.0, 1.0, None, "usb-cable is missing")
    eye = WrittenEye({Check.CONTENTS: Result.FAIL}, {Check.CONTENTS: (missing,)})
    kept = Kept()
    b = bench(eye, kept, {"B1": CABLE})
    b.scan("B1")
    b.judge(take)
    assert (b.moment.phase, b.moment.stage) == (Phase.HELD, Stage.OPEN)
    with pytest.raises(NotNowError):
        b.override(reason="fine", approver="wang", pin="1234")
    b.go_on()
    b.judge(take)
    assert b.moment.phase is Phase.HELD, "sealing it anyway does not make it complete"
    assert b.moment.stage is Stage.SEALED


def decisions(kept: Kept) -> list[tuple[str, str]]:
    """(id, decision) of every inspection kept, in order."""
    return [(name, json.loads(body)["verdict"]["verdict"]) for kind, name, body in kept.entries if kind == "inspection"]


def test_a_bad_picture_is_taken_again_and_every_look_is_on_record_once() -> None:
    eye, kept = WrittenEye(faults=BLURRED), Kept()
    b = bench(eye, kept)
    b.scan("A1")
    for by_hand in (True, False):
        b.judge(take, by_hand=by_hand)
        assert (b.moment.phase, b.moment.do.code) == (Phase.RETAKE, "retake_blurred")
    eye.faults = ()
    b.judge(take)
    assert b.moment.phase is Phase.RELEASED
    assert decisions(kept) == [("id-1", "retake"), ("id-2", "retake"), ("id-3", "release")]
    assert kept.pictures["id-1"] == ["sealed.jpg", "annotated-sealed.jpg"]


def test_a_retake_after_a_release_is_on_record_though_the_packer_gives_up() -> None:
    eye, kept = WrittenEye(), Kept()
    b = bench(eye, kept)
    b.scan("A1")
    b.judge(take)
    eye.faults = BLURRED
    b.scan("A1")
    b.judge(take)
    b.clear()
    assert decisions(kept) == [("id-1", "release"), ("id-2", "retake")], "else the gate still goes by the release"
    assert b.moment.notice is not None
    assert b.moment.notice.code == "left_unfinished"


def test_a_bad_picture_of_the_open_box_is_no_verdict_on_the_parcel() -> None:
    kept = Kept()
    b = bench(WrittenEye(faults=BLURRED), kept, {"B1": CABLE})
    b.scan("B1")
    b.judge(take)
    assert (b.moment.phase, b.moment.stage, kept.entries) == (Phase.RETAKE, Stage.OPEN, [])


def test_a_retake_that_cannot_be_kept_stops_the_bench() -> None:
    kept = Kept()
    kept.failure = SpoolError("full", "The disk of this station is full.")
    b = bench(WrittenEye(faults=BLURRED), kept)
    b.scan("A1")
    b.judge(take)
    assert (b.moment.phase, b.moment.do.code) == (Phase.BLOCKED, "spool_full")


def test_a_parcel_that_no_picture_can_show_is_released_by_a_person_with_both_records() -> None:
    kept = Kept()
    b = bench(WrittenEye(faults=(Fault("no_parcel", "no parcel"),)), kept)
    b.scan("A1")
    b.judge(take)
    b.override(reason="black mailer", approver="wang", pin="1234")
    assert b.moment.phase is Phase.RELEASED
    assert [entry[:2] for entry in kept.entries] == [("inspection", "id-1"), ("override", "id-1")]
    assert b.moment.inspection == "id-1"
    assert json.loads(kept.entries[0][2])["verdict"]["verdict"] == "retake"


def test_the_trigger_mistaking_an_empty_bench_for_a_parcel_bothers_nobody() -> None:
    kept = Kept()
    b = bench(WrittenEye(faults=(Fault("no_parcel", "no parcel"),)), kept)
    b.scan("A1")
    b.judge(take, by_hand=False)
    assert (b.moment.phase, kept.entries) == (Phase.WAITING, [])
    assert b.moment.notice is not None
    assert b.moment.notice.code == "nothing_seen"


def test_an_override_says_who_why_and_when() -> None:
    kept = Kept()
    b = bench(torn(), kept)
    b.scan("A1")
    b.judge(take)
    b.override(reason="  only a  scuff ", approver="wang", pin="1234")
    assert (b.moment.phase, b.moment.do.code) == (Phase.RELEASED, "ship")
    kind, inspection, body = kept.entries[1]
    assert (kind, inspection) == ("override", "id-1")
    assert json.loads(body) == {
        "reason": "only a scuff",
        "operator": "li",
        "approved_by": "wang",
        "at": "2026-11-22T08:00:00.000Z",
    }


def test_an_override_needs_a_reason_a_second_person_and_a_durable_record() -> None:
    kept = Kept()
    approval = Approval({"wang": hash_pin("4711"), "Li ": hash_pin("1111")}, lambda: 0.0)
    b = bench(torn(), kept, approver=approval)
    b.scan("A1")
    with pytest.raises(NotNowError):
        b.override(reason="fine", approver="wang", pin="4711")
    b.judge(take)
    with pytest.raises(ReasonError):
        b.override(reason=" \t", approver="wang", pin="4711")
    with pytest.raises(ApprovalError) as refused:
        b.override(reason="fine", approver="Li ", pin="1111")
    assert refused.value.code == "same_person"
    with pytest.raises(ApprovalError):
        b.override(reason="fine", approver="wang", pin="0000")
    kept.failure = SpoolError("full", "full")
    with pytest.raises(SpoolError):
        b.override(reason="fine", approver="wang", pin="4711")
    assert (b.moment.phase, len(kept.entries)) == (Phase.HELD, 1)
    kept.failure = None
    b.override(reason="没坏", approver="wang", pin="4711")
    assert b.moment.phase is Phase.RELEASED


@pytest.mark.parametrize("code", ["unknown", "unreachable", "refused", "unreadable"])
def test_an_order_without_a_packing_list_stops_the_bench(code: str) -> None:
    def find(order: str) -> Order:
        raise OrderError(code, "no")

    b = bench(find=find)
    b.scan("A1")
    assert (b.moment.phase, b.moment.do.code) == (Phase.BLOCKED, f"order_{code}")
    with pytest.raises(NotNowError):
        b.judge(take)


def test_a_remembered_packing_list_is_used_and_said_to_be_remembered() -> None:
    b = bench(find=lambda order: Order(order, PackingSpec(), 3, remembered_at=START))
    b.scan("A1")
    assert b.moment.phase is Phase.WAITING
    assert b.moment.notice is not None
    assert b.moment.notice.code == "remembered"


def test_another_order_leaves_the_unfinished_one_behind_and_says_so() -> None:
    b = bench(orders={"A1": PackingSpec(), "A2": PackingSpec()})
    b.scan("A1")
    b.scan("A2")
    assert b.moment.order is not None
    assert b.moment.order.id == "A2"
    assert b.moment.notice is not None
    assert (b.moment.notice.code, b.moment.notice.words) == ("left_unfinished", {"order": "A1"})


def test_a_scan_of_something_else_does_not_disturb_the_parcel() -> None:
    b = bench(torn())
    b.scan("A1")
    b.judge(take)
    b.scan("https://example.com/\x07")
    assert b.moment.phase is Phase.HELD
    assert b.moment.notice is not None
    assert b.moment.notice.code == "not_an_order"


def test_a_scan_in_the_middle_of_judging_is_refused_not_lost_in_silence() -> None:
    b = bench()
    refused = []

    def scanning(stage: Stage) -> Picture:
        with pytest.raises(NotNowError) as error:
            b.scan("A1")
        refused.append(str(error.value))
        return take(stage)

    b.scan("A1")
    b.judge(scanning)
    assert refused
    assert b.moment.phase is Phase.RELEASED


def test_while_it_looks_again_no_old_verdict_is_shown() -> None:
    b = bench(torn())
    b.scan("A1")
    b.judge(take)
    shown = []

    def looking(stage: Stage) -> Picture:
        shown.append((b.moment.phase, b.moment.verdict, b.moment.inspection))
        return take(stage)

    b.judge(looking)
    assert shown == [(Phase.JUDGING, None, None)]


@pytest.mark.parametrize("by_hand", [True, False])
def test_an_eye_that_fails_leaves_the_bench_waiting_and_says_so(by_hand: bool) -> None:
    class Broken(WrittenEye):
        def inspect(self, frames: object, spec: object, weight_g: object = None) -> object:  # type: ignore[override]
            raise RuntimeError("no")

    kept = Kept()
    b = bench(Broken(), kept)
    b.scan("A1")
    with pytest.raises(RuntimeError):
        b.judge(take, by_hand=by_hand)
    assert (b.moment.phase, kept.entries) == (Phase.WAITING, [])
    assert b.moment.notice is not None
    assert b.moment.notice.code == "not_judged"


def test_the_picture_kept_is_the_picture_judged() -> None:
    made = picture_of(shot(), Stage.SEALED, "top")
    again = picture_of(shot(), Stage.SEALED, "top")
    assert made.jpeg == again.jpeg
    from inspector.frame import decode

    assert (decode(made.jpeg, name="x").bgr == made.frame.bgr).all()


class AnyOrderOfEvents(RuleBasedStateMachine):
    """Whatever is scanned, judged, overridden or cleared: green means a durable record that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Kept()
        self.eye = WrittenEye()
        specs = {"A1": PackingSpec(), "A2": PackingSpec(marks=frozenset({"fragile"})), "B1": CABLE}
        self.bench: Bench = bench(self.eye, self.kept, specs)

    def _try(self, run: Callable[[], object]) -> None:
        with contextlib.suppress(NotNowError, ReasonError, SpoolError):
            run()

    @rule(text=st.sampled_from(["A1", "A2", "B1", "nope", "", "a\x00b"]))
    def scan(self, text: str) -> None:
        self._try(lambda: self.bench.scan(text))

    @rule(
        check=st.sampled_from(list(Check)),
        result=st.sampled_from(list(Result)),
        bad=st.sampled_from([None, "no_parcel", "blurred"]),
        full=st.booleans(),
        by_hand=st.booleans(),
    )
    def judge(self, check: Check, result: Result, bad: str | None, full: bool, by_hand: bool) -> None:
        self.eye.results = {check: result}
        self.eye.faults = (Fault(bad, "no"),) if bad else ()
        self.kept.failure = SpoolError("full", "full") if full else None
        self._try(lambda: self.bench.judge(take, by_hand=by_hand))

    @rule(reason=st.sampled_from(["", "x", "looked at it"]))
    def override(self, reason: str) -> None:
        self._try(lambda: self.bench.override(reason=reason, approver="wang", pin="1"))

    @rule()
    def clear(self) -> None:
        self._try(self.bench.clear)

    @rule()
    def go_on(self) -> None:
        self._try(self.bench.go_on)

    @invariant()
    def green_is_earned(self) -> None:
        moment = self.bench.moment
        if moment.phase is not Phase.RELEASED:
            return
        bodies = {(kind, inspection): json.loads(body) for kind, inspection, body in self.kept.entries}
        record = bodies["inspection", moment.inspection or ""]
        assert moment.order is not None
        assert record["order"] == moment.order.id
        if moment.override:
            assert bodies["override", moment.inspection or ""]["approved_by"] == "wang"
        else:
            assert record["verdict"]["verdict"] == "release"
        stages = {frame["stage"] for frame in record["frames"]}
        assert "sealed" in stages
        assert "open" in stages or not moment.order.spec.items

    @invariant()
    def a_sealed_parcel_is_judged_on_record(self) -> None:
        moment = self.bench.moment
        if moment.stage is Stage.SEALED and moment.phase in (Phase.HELD, Phase.RETAKE):
            assert (moment.inspection, moment.phase.replace("held", "hold")) in decisions(self.kept)

    @invariant()
    def one_record_an_id(self) -> None:
        ids = [inspection for kind, inspection, _ in self.kept.entries if kind == "inspection"]
        assert len(ids) == len(set(ids))


TestAnyOrderOfEvents = AnyOrderOfEvents.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
