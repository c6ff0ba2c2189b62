"""Labels with real barcodes, read at any angle and compared with the order's number."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from inspector.frame import Frame
from inspector.label import carries
from inspector.spec import Check, PackingSpec
from inspector.verdict import CheckResult, Result
from tests.inspector.scripted import PARCEL, Scripted, eye


def _parcel(text: str | None, form: str = "Code128", degrees: float = 0.0) -> Frame:
    """A 900 x 900 picture of a brown area with one barcode in its middle."""
    board = np.full((900, 900, 3), (90, 130, 170), np.uint8)
    board[:, :450] -= 12  # its other side lies in the light
    if text is not None:
        code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, form))
        bars = np.asarray(code.to_image(scale=3, add_quiet_zones=True), np.uint8)
        if bars.shape[0] < 60:
            bars = np.repeat(bars, 3, axis=0)
        h, w = bars.shape[:2]
        label = np.full((h + 40, w + 40, 3), 255, np.uint8)
        label[20:-20, 20:-20] = bars[:, :, None]
        y, x = (900 - label.shape[0]) // 2, (900 - label.shape[1]) // 2
        board[y : y + label.shape[0], x : x + label.shape[1]] = label
    turn = cv2.getRotationMatrix2D((450, 450), degrees, 1.0)
    turned = cv2.warpAffine(board, turn, (900, 900), borderValue=(90, 130, 170))
    return Frame(np.asarray(turned, np.uint8), "label.jpg")


def _check(picture: Frame, number: str | None, label: float = 0.0) -> CheckResult:
    engine = Scripted([PARCEL, ("shipping_label", label, (120, 120, 200, 200), 0)])
    return eye(engine).inspect([picture], PackingSpec(tracking_number=number)).checks[Check.LABEL]


@pytest.mark.parametrize("degrees", [0, 17, 45, 70, 90, 135, 180, 250, 315])
@pytest.mark.parametrize("form", ["Code128", "QRCode"])
def test_the_right_label_passes_at_any_angle(form: str, degrees: float) -> None:
    result = _check(_parcel("LL000000001", form, degrees), "LL000000001")
    assert result.result is Result.PASS
    assert result.codes[0].text == "LL000000001"
    x, y, w, h = result.codes[0].box
    assert (x + w / 2, y + h / 2) == pytest.approx((450, 450), abs=25)


def test_another_orders_label_fails_and_is_named() -> None:
    result = _check(_parcel("LL000000099"), "LL000000007")
    assert result.result is Result.FAIL
    assert result.findings[0].kind == "wrong_label"
    assert "LL000000099" in result.findings[0].text


def test_a_label_that_cannot_be_read_is_for_a_person() -> None:
    result = _check(_parcel(None), "LL000000001", label=0.9)
    assert result.result is Result.UNSURE
    assert result.findings[0].kind == "unreadable_label"


def test_no_label_at_all_fails() -> None:
    result = _check(_parcel(None), "LL000000001")
    assert result.result is Result.FAIL
    assert result.findings[0].kind == "missing_label"


@pytest.mark.parametrize(("text", "form"), [("4006381333931", "EAN13"), ("https://example.org/manual/12345", "QRCode")])
def test_a_product_code_is_no_wrong_label(text: str, form: str) -> None:
    assert _check(_parcel(text, form), "LL000000001", label=0.9).result is Result.UNSURE


def test_without_a_number_the_check_is_skipped() -> None:
    assert _check(_parcel("LL000000001"), None).result is Result.SKIPPED


@pytest.mark.parametrize(
    ("code", "number", "same"),
    [
        ("LL 000 000 001", "ll000000001", True),
        ("(00)106141412345678908", "106141412345678908", True),
        ("00106141412345678908", "106141412345678908", True),
        ("420902109205590164917312751089", "9205590164917312751089", True),
        ("LL000000001", "LL00000001", False),
        ("LL0000000012", "LL000000001", False),
        ("9912345678", "345678", False),
        ("LL000000001", "", False),
        ("", "LL000000001", False),
        ("10AB", "AB", False),
        ("]", "LL000000001", False),
        ("]YgDN^D:2D", "LL000000001", False),
    ],
)
def test_which_code_carries_which_number(code: str, number: str, same: bool) -> None:
    assert carries(code, number) is same


@given(number=st.from_regex(r"[A-Z]{2}[0-9]{9}[A-Z]{2}", fullmatch=True), other=st.text(max_size=30))
def test_a_code_carries_a_number_only_if_it_ends_with_it(number: str, other: str) -> None:
    assert carries(number, number)
    if number not in other.upper().replace(" ", ""):
        assert not carries(other, number)


@given(text=st.text(max_size=60))
def test_no_text_of_a_barcode_breaks_the_check(text: str) -> None:
    assert carries(text, "LL000000001") in (True, False)


def test_an_old_label_beside_the_right_one_is_for_a_person() -> None:
    both = _parcel("LL000000001")
    old = _parcel("LL000000099").bgr[300:600]
    both.bgr[600:900] = old
    result = _check(both, "LL000000001")
    assert result.result is Result.UNSURE
    assert "LL000000099" in (result.reason or "")


def test_another_kind_of_number_beside_the_right_one_is_no_second_label() -> None:
    both = _parcel("LL000000001")
    both.bgr[600:900] = _parcel("ORDER-2026-4711-X").bgr[300:600]
    assert _check(both, "LL000000001").result is Result.PASS
