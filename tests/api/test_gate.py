"""The gate as a pure function: nothing unknown leaves, and every no has a reason."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.dispatch.gate import InspectionFacts, OrderFacts, gate
from inspector.spec import Check
from inspector.verdict import Decision

orders = st.builds(
    OrderFacts,
    revision=st.integers(1, 3),
    required=st.sets(st.sampled_from(Check)).map(lambda checks: frozenset(checks | {Check.INTEGRITY})),
)
inspections = st.builds(
    InspectionFacts,
    decision=st.sampled_from(Decision),
    reasons=st.lists(st.text(min_size=1, max_size=20), max_size=3),
    revision=st.none() | st.integers(1, 3),
    sealed=st.booleans(),
    overridden=st.booleans(),
    passed=st.frozensets(st.sampled_from(Check)) | st.just(frozenset(Check)),
)


@given(orders, st.none() | inspections)
def test_a_closed_gate_says_why_and_an_open_one_has_nothing_to_say(
    order: OrderFacts, latest: InspectionFacts | None
) -> None:
    answer = gate(order, latest)
    assert answer.allowed == (not answer.reasons)
    assert all(reason.strip() for reason in answer.reasons) or latest is not None


@given(orders, inspections)
def test_it_opens_only_for_a_release_of_this_very_order_with_the_sealed_parcel_in_sight(
    order: OrderFacts, latest: InspectionFacts
) -> None:
    if not gate(order, latest).allowed:
        return
    assert (latest.decision is Decision.RELEASE and order.required <= latest.passed) or latest.overridden
    assert latest.sealed
    assert latest.revision == order.revision or (latest.revision is None and order.required == {Check.INTEGRITY})


@given(orders, inspections)
def test_it_never_closes_without_a_cause(order: OrderFacts, latest: InspectionFacts) -> None:
    released = latest.decision is Decision.RELEASE and order.required <= latest.passed
    if (released or latest.overridden) and latest.sealed and latest.revision == order.revision:
        assert gate(order, latest).allowed


@given(orders, inspections)
def test_an_override_can_only_open(order: OrderFacts, latest: InspectionFacts) -> None:
    opened = gate(order, replace(latest, overridden=True)).allowed
    assert opened or not gate(order, replace(latest, overridden=False)).allowed


@given(orders)
def test_what_nobody_inspected_stays(order: OrderFacts) -> None:
    answer = gate(order, None)
    assert not answer.allowed
    assert "never inspected" in answer.reasons[0]
