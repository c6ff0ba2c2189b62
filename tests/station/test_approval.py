"""A second person, the right PIN, and no guessing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.approval import FREE_TRIES, LONGEST_WAIT, Approval, ApprovalError, hash_pin, known_hash, pin_matches
from tests.station.benchside import Clock

HASHED = hash_pin("4711", b"s" * 16)


def refused(approval: Approval, **changes: str) -> ApprovalError:
    with pytest.raises(ApprovalError) as error:
        approval.check(**{"operator": "li", "approver": "wang", "pin": "4711", **changes})
    return error.value


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def approval(clock: Clock) -> Approval:
    return Approval({"wang": HASHED, "joe": hash_pin("2222"), "Li": hash_pin("1111")}, clock.monotonic)


def test_the_right_pin_of_a_second_person_is_enough(approval: Approval) -> None:
    approval.check(operator="li", approver="wang", pin="4711")


@pytest.mark.parametrize("operator", ["Li", "li", " LI "])
def test_the_packer_cannot_approve_under_any_spelling(approval: Approval, operator: str) -> None:
    assert refused(approval, operator=operator, approver="Li", pin="1111").code == "same_person"


def test_nobody_approves_while_nobody_packs(approval: Approval) -> None:
    assert refused(approval, operator="").code == "no_operator"


def test_an_unknown_name_is_refused_like_a_wrong_pin(approval: Approval) -> None:
    assert refused(approval, approver="nobody", pin="0000").code == "wrong_pin"


def test_wrong_pins_are_slowed_down_over_all_names_together(approval: Approval, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        assert refused(approval, pin="0000").wait == 0
    first = refused(approval, pin="0000")
    assert (first.code, first.wait) == ("wrong_pin", 2.0)
    blocked = refused(approval, approver="joe", pin="2222")
    assert blocked.code == "wait"
    assert refused(approval).code == "wait", "the right PIN has to wait too"
    clock.pass_by(2.1)
    approval.check(operator="li", approver="wang", pin="4711")
    assert refused(approval, pin="0000").wait == 0, "a right PIN forgives"


def test_guessing_all_pins_would_take_longer_than_a_month(approval: Approval, clock: Clock) -> None:
    for _ in range(FREE_TRIES + 9):
        clock.pass_by(refused(approval, pin="0000").wait)
    assert refused(approval, pin="0000").wait == LONGEST_WAIT
    assert 10_000 * LONGEST_WAIT > 30 * 24 * 3600


def test_the_settings_hold_no_pin(approval: Approval) -> None:
    assert "4711" not in HASHED
    assert hash_pin("4711") != hash_pin("4711"), "salted"
    assert pin_matches("4711", HASHED)
    assert not pin_matches("4712", HASHED)


@pytest.mark.parametrize("pin", ["", "123", "abcd", "1" * 13, "１２３４", "12 34"])
def test_only_digits_make_a_pin(pin: str) -> None:
    with pytest.raises(ValueError, match="4 to 12 digits"):
        hash_pin(pin)


@settings(max_examples=100)
@given(st.text(max_size=80))
def test_a_plain_text_pin_in_the_settings_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hash-pin"):
        known_hash(text)


def test_what_hash_pin_makes_is_known() -> None:
    assert known_hash(HASHED) == HASHED
