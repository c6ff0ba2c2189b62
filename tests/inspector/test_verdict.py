"""Four checks become one verdict, and never a silent pass."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.spec import Check, ExpectedItem, PackingSpec
from inspector.verdict import CheckResult, Decision, Fault, Finding, Result, combine

specs = st.builds(
    PackingSpec,
    items=st.sampled_from([(), (ExpectedItem("cable"),)]),
    marks=st.sampled_from([frozenset(), frozenset({"fragile"})]),
    tracking_number=st.sampled_from([None, "LL000000001"]),
)
results = st.dictionaries(st.sampled_from(list(Check)), st.sampled_from(list(Result)))


@given(results=results, spec=specs, blurred=st.booleans())
def test_release_means_everything_required_was_made_and_passed_and_nothing_failed(
    results: dict[Check, Result], spec: PackingSpec, blurred: bool
) -> None:
    faults = [Fault("blurred", "blurred: hold still")] if blurred else []
    decision, reasons = combine([CheckResult(c, r) for c, r in results.items()], spec, faults)
    sure = all(results.get(check) is Result.PASS for check in spec.required)
    may_leave = sure and Result.FAIL not in results.values() and not blurred
    assert (decision is Decision.RELEASE) == may_leave
    assert bool(reasons) == (decision is not Decision.RELEASE)
    assert (decision is Decision.RETAKE) == blurred


def test_integrity_is_required_of_every_parcel() -> None:
    assert PackingSpec().required == {Check.INTEGRITY}
    assert combine([], PackingSpec()) == (Decision.HOLD, ("integrity was not checked",))


@pytest.mark.parametrize("result", [Result.UNSURE, Result.SKIPPED])
def test_doubt_holds_and_says_why(result: Result) -> None:
    doubt = CheckResult(Check.INTEGRITY, result, reason="perhaps torn: look at it")
    assert combine([doubt], PackingSpec()) == (Decision.HOLD, ("perhaps torn: look at it",))


def test_a_check_nobody_asked_for_may_be_skipped_but_not_fail() -> None:
    whole = CheckResult(Check.INTEGRITY, Result.PASS)
    assert combine([whole, CheckResult(Check.LABEL, Result.SKIPPED)], PackingSpec())[0] is Decision.RELEASE
    assert combine([whole, CheckResult(Check.LABEL, Result.FAIL)], PackingSpec())[0] is Decision.HOLD


def test_reasons_are_told_once_failures_first() -> None:
    torn = Finding("tear", 0.5, 0.9, None, "torn on the left side")
    checks = [
        CheckResult(Check.LABEL, Result.UNSURE, reason="scan the label"),
        CheckResult(Check.INTEGRITY, Result.FAIL, findings=(torn, torn)),
    ]
    spec = PackingSpec(tracking_number="LL000000001")
    for order in itertools.permutations(checks):
        assert combine(order, spec)[1] == ("torn on the left side", "scan the label")
