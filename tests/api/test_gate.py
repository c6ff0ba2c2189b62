"""The gate as a pure function: nothing unknown leaves, and every no has a reason."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.dispatch.gate import Gate, InspectionFacts, OrderFacts, gate, together
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
    failed=st.just(frozenset()) | st.frozensets(st.sampled_from(Check)),
)


def released(order: OrderFacts, latest: InspectionFacts) -> bool:
    return latest.decision is Decision.RELEASE and order.required <= latest.passed and not latest.failed


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
    assert released(order, latest) or latest.overridden
    assert latest.sealed
    assert latest.revision == order.revision or (latest.revision is None and order.required == {Check.INTEGRITY})


@given(orders, inspections)
def test_it_never_closes_without_a_cause(order: OrderFacts, latest: InspectionFacts) -> None:
    if (released(order, latest) or latest.overridden) and latest.sealed and latest.revision == order.revision:
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


def test_a_check_that_failed_closes_the_gate_even_if_nobody_asked_for_it() -> None:
    order = OrderFacts(revision=1, required=frozenset({Check.INTEGRITY}))
    fine = InspectionFacts(
        decision=Decision.RELEASE,
        reasons=(),
        revision=1,
        sealed=True,
        overridden=False,
        passed=frozenset({Check.INTEGRITY}),
        failed=frozenset(),
    )
    assert gate(order, fine).allowed
    failed = replace(fine, failed=frozenset({Check.MARKS}))
    assert gate(order, failed).reasons == (
        "It was released although the check of marks failed. Inspect it again.",
    )  # fmt: skip
    assert gate(order, replace(failed, overridden=True)).allowed
    assert not gate(order, replace(failed, overridden=True, sealed=False)).allowed


@given(st.lists(st.builds(lambda reasons: Gate(not reasons, reasons), st.lists(st.text("ab"), max_size=3).map(tuple))))
def test_together_they_open_only_if_each_does_and_nothing_is_said_twice(gates: list[Gate]) -> None:
    answer = together(gates)
    assert answer.allowed == all(one.allowed for one in gates)
    assert set(answer.reasons) == {reason for one in gates for reason in one.reasons}
    assert len(set(answer.reasons)) == len(answer.reasons)
