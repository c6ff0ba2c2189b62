"""The scale's word: what is absent, how surely, and what it cannot tell."""

import pytest

from inspector.weighing import Line, weigh

SURE, DOUBT = 3.0, 0.0


def lines(*odds: float) -> list[Line]:
    weights = (120.0, 35.0, 8.0)
    return [Line(f"item-{i}", weights[i], 0.01 * weights[i], (value,)) for i, value in enumerate(odds)]


def test_a_complete_box_settles_what_the_picture_doubts() -> None:
    weighed = weigh(lines(SURE, DOUBT, DOUBT), 163.4)
    assert weighed.fits
    assert weighed.explains == ()
    assert all(weighed.present[f"item-{i}"][0] > 0.97 for i in range(3))


def test_a_light_box_names_the_item_whose_absence_explains_it() -> None:
    weighed = weigh(lines(SURE, SURE, SURE), 128.0)
    assert not weighed.fits
    assert weighed.explains == (("item-1", 1),)
    assert weighed.explained
    assert weighed.present["item-1"][0] < 0.05
    assert weighed.present["item-0"][0] > 0.95


def test_two_items_may_be_absent_together() -> None:
    assert weigh(lines(SURE, SURE, SURE), 120.3).explains == (("item-1", 1), ("item-2", 1))


def test_the_picture_decides_between_items_of_one_weight() -> None:
    twins = [Line("seen", 20.0, 0.2, (SURE,)), Line("doubted", 20.0, 0.2, (-1.0,))]
    weighed = weigh(twins, 20.0)
    assert weighed.explains == (("doubted", 1),)
    assert weighed.present["seen"][0] > 0.9
    assert weighed.present["doubted"][0] < 0.1


def test_pieces_of_one_line_are_absent_least_sure_first() -> None:
    weighed = weigh([Line("cable", 30.0, 0.3, (SURE, -SURE))], 30.0)
    assert weighed.explains == (("cable", 1),)
    first, second = weighed.present["cable"]
    assert first > 0.97
    assert second < 0.03


def test_a_weight_that_nothing_explains_leaves_the_picture_its_word() -> None:
    weighed = weigh(lines(SURE, SURE, DOUBT), 700.0)
    assert not weighed.fits
    assert not weighed.explained
    assert weighed.present["item-2"][0] == pytest.approx(0.5, abs=0.05)


def test_tolerance_joins_the_spread_of_all_pieces_and_of_the_scale() -> None:
    weighed = weigh([Line("a", 100.0, 3.0, (SURE, SURE)), Line("b", 50.0, 4.0, (SURE,))], 250.0, scale_sd_g=1.0)
    assert weighed.expected_g == 250.0
    assert weighed.tolerance_g == pytest.approx(3 * (2 * 9 + 16 + 1) ** 0.5)


def test_a_long_list_is_weighed_in_time() -> None:
    many = [Line(f"item-{i}", 10.0 + i, 0.1, (SURE,)) for i in range(60)]
    expected = sum(line.weight_g for line in many)
    assert weigh(many, expected - 17.0).explains == (("item-7", 1),)
