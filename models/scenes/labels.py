"""Shipping labels as couriers print them, with barcodes that can be read."""

from __future__ import annotations

import string

import numpy as np
import zxingcpp

from models.scenes.art import Art, Pen, Pixels, opaque, readable
from models.scenes.marks import BLACK, WHITE

CARRIERS = ("EXPRESS", "PRIORITY", "GROUND 2D", "顺丰标快", "PARCEL+", "EMS", "中通", "STANDARD", "NEXT DAY")
HAN = "收件人寄地址电话省市区路号栋单元楼室快递物流中转站集包订编日期签名付保价运上海北京广州深圳"


def draw(rng: np.random.Generator, number: str | None = None) -> Art:
    """A label, upright. number: what its linear barcode says; made up when None."""
    number = number or tracking_number(rng)
    width = 300
    height = int(width * rng.choice([0.62, 1.0, 1.4, 1.5]))
    pen = Pen(width, height, WHITE)
    pen.frame(1, 1, 99, pen.bottom - 1, BLACK, 0.8)
    carriers = readable(CARRIERS)
    pen.oblong(2, 2, float(rng.uniform(25, 60)), 15, BLACK if rng.random() < 0.6 else (24, 60, 140))
    pen.text((4, 4, 24, 13), carriers[int(rng.integers(len(carriers)))], WHITE, rng)
    pen.text((64, 3, 97, 14), f"{_word(rng)[:3]} {int(rng.integers(10, 99))}", BLACK, rng)
    pen.line([(1, 17), (99, 17)], BLACK, 0.8)
    band = pen.bottom * float(rng.uniform(0.2, 0.3))
    top = pen.bottom - band - 9
    han = rng.random() < 0.4 and bool(readable(["收"]))
    y = 20.0
    while y < top - 6:
        end = float(rng.uniform(30, 68))
        pen.text((4, y, end, y + float(rng.uniform(3, 4.6))), _line(rng, han=han), BLACK, rng)
        y += 6.0
    pen.line([(1, top - 1), (99, top - 1)], BLACK, 0.8)
    pen.text((20, pen.bottom - 8, 80, pen.bottom - 3), number, BLACK, rng)
    bgr = pen.image()
    unit = width / 100
    _put(bgr, _code(number, zxingcpp.BarcodeFormat.Code128), 0.09 * width, top * unit, 0.82 * width, band * unit)
    square = min(24.0, top - 24)
    if square > 10:
        code = _code(f"{number}|{_word(rng)}", zxingcpp.BarcodeFormat.QRCode)
        _put(bgr, code, (96 - square) * unit, 20 * unit, square * unit, square * unit)
    return Art("shipping_label", opaque(bgr))


def tracking_number(rng: np.random.Generator) -> str:
    """A number of the shape of UPU S10 without its check digit's promise: two letters, nine digits, two letters."""
    letters = string.ascii_uppercase
    pick = [letters[int(i)] for i in rng.integers(0, 26, 4)]
    return f"{pick[0]}{pick[1]}{int(rng.integers(10**8, 10**9))}{pick[2]}{pick[3]}"


def _word(rng: np.random.Generator) -> str:
    return "".join(string.ascii_uppercase[int(i)] for i in rng.integers(0, 26, int(rng.integers(3, 9))))


def _line(rng: np.random.Generator, *, han: bool) -> str:
    if han:
        return "".join(HAN[int(i)] for i in rng.integers(0, len(HAN), int(rng.integers(6, 14))))
    return " ".join([str(int(rng.integers(1, 9999))), *(_word(rng) for _ in range(int(rng.integers(2, 4))))])


def _code(text: str, kind: zxingcpp.BarcodeFormat) -> Pixels:
    """A barcode's modules as grey uint8 (h, w), one pixel a module."""
    image = zxingcpp.create_barcode(text, kind).to_image(scale=1, add_quiet_zones=False)
    return np.asarray(image, np.uint8)


def _put(bgr: Pixels, code: Pixels, x: float, y: float, width: float, height: float) -> None:
    """Stretches a code into a rectangle of the label by whole pixels a module, so that it stays readable."""
    per_module = max(1, int(width / code.shape[1]))
    linear = code.shape[0] * 2 < code.shape[1]
    rows = max(1, int(height)) if linear else code.shape[0] * per_module
    source = np.arange(rows) * code.shape[0] // rows if linear else np.arange(rows) // per_module
    grey = np.repeat(code[source], per_module, axis=1)
    left, top = int(x + (width - grey.shape[1]) / 2), int(y)
    grey = grey[: bgr.shape[0] - top, : bgr.shape[1] - left]
    bgr[top : top + grey.shape[0], left : left + grey.shape[1]] = grey[..., None]
