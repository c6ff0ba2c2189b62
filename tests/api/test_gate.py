"""The gate as a pure function: nothing unknown leaves, and every no has a reason."""

from __future__ import annotations

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
    assert latest.decision is Decision.RELEASE or latest.overridden
    assert latest.sealed
    assert latest.revision == order.revision or (latest.revision is None and order.required == {Check.INTEGRITY})


@given(orders, inspections)
def test_it_never_closes_without_a_cause(order: OrderFacts, latest: InspectionFacts) -> None:
    good = (
        (latest.decision is Decision.RELEASE or latest.overridden)
        and latest.sealed
        and latest.revision == order.revision
    )
    if good:
        assert gate(order, latest).allowed


@given(orders, inspections)
def test_an_override_can_only_open(order: OrderFacts, latest: InspectionFacts) -> None:
    def with_override(given: bool) -> bool:
        return gate(
            order, InspectionFacts(latest.decision, latest.reasons, latest.revision, latest.sealed, given)
        ).allowed

    assert with_override(True) or not with_override(False)


@given(orders)
def test_what_nobody_inspected_stays(order: OrderFacts) -> None:
    answer = gate(order, None)
    assert not answer.allowed
    assert "never inspected" in answer.reasons[0]
