"""Shipping labels with barcodes that scan: Code 128 and QR of the tracking number, in English or Chinese."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw

from models.scenes.blender.paint import Array, Rng
from models.scenes.blender.typeface import fit

INK = (18, 18, 20)

STREETS = ("Harbour Rd", "Mill Lane", "Station St", "Orchard Ave", "Canal View", "Foundry Way", "Linden Walk")
TOWNS = ("Ashford", "Kingsmere", "Port Alder", "Westbrook", "Norwell", "Elm Hill")
PEOPLE = ("M. Okafor", "J. Lindqvist", "A. Moreau", "S. Tanaka", "R. Castillo", "E. Novak", "P. Haddad")
HAN_PEOPLE = ("李女士", "王先生", "陈女士", "周先生")
HAN_PLACES = (
    "江宁区 梧桐路 18号 2栋 301",
    "高新区 云溪街 77号 5单元",
    "滨湖区 望山路 206号 1栋",
    "海沧区 长青路 9号 403",
)


@dataclass(frozen=True)
class ShippingLabel:
    """text is what both codes say; size in metres; rgb (h, w, 3) float32 0..1 at about 10 pixels a millimetre."""

    text: str
    size: tuple[float, float]
    rgb: Array


def symbol(text: str, kind: zxingcpp.BarcodeFormat, module: int) -> Image.Image:
    """A barcode as a grey picture without quiet zone; `module` pixels to the module."""
    made = zxingcpp.create_barcode(text, kind)
    picture = np.array(made.to_image(scale=1, add_quiet_zones=False))
    if kind == zxingcpp.BarcodeFormat.Code128:
        picture = picture[:1]
    return Image.fromarray(np.kron(picture, np.ones((module, module), np.uint8)))


def shipping_label(text: str, rng: Rng, *, chinese: bool = False, module_mm: float = 0.75) -> ShippingLabel:
    """A courier's label around a Code 128 whose narrow bar is `module_mm` wide."""
    px = 10  # pixels a millimetre
    module = max(2, round(module_mm * px))
    bars = symbol(text, zxingcpp.BarcodeFormat.Code128, module)
    width, height = bars.width + 22 * module, round(86 * px)
    paper = Image.new("RGB", (width, height), (246, 246, 244))
    draw = ImageDraw.Draw(paper)
    mm = px
    draw.rectangle([1 * mm, 1 * mm, width - 1 * mm, height - 1 * mm], outline=INK, width=4)
    draw.rectangle([1 * mm, 1 * mm, width - 1 * mm, 15 * mm], fill=INK)
    fit(
        draw,
        (4 * mm, 4 * mm, min(58 * mm, width - 40 * mm), 12 * mm),
        "远巷 特快" if chinese else "FARLANE EXPRESS",
        "white",
        "heavy",
    )
    zone = f"{rng.integers(10, 99)}-{chr(65 + int(rng.integers(26)))}{rng.integers(1, 9)}"
    fit(draw, (width - 36 * mm, 3.5 * mm, width - 4 * mm, 12.5 * mm), zone, "white", "heavy")

    code = symbol(text, zxingcpp.BarcodeFormat.QRCode, round(0.85 * px))
    paper.paste(code, (width - code.width - 5 * mm, 18 * mm))
    right = width - code.width - 10 * mm
    if chinese:
        rows = [
            f"收件 {rng.choice(HAN_PEOPLE)} 138****{rng.integers(1000, 9999)}",
            str(rng.choice(HAN_PLACES)),
            "寄件 优选商城 仓储一部",
        ]
    else:
        place = f"{rng.integers(2, 190)} {rng.choice(STREETS)}, {rng.choice(TOWNS)}"
        rows = [f"TO  {rng.choice(PEOPLE)}", place, "FROM  Dockside Fulfilment 1"]
    for number, row in enumerate(rows):
        top = (18.5 + 7.5 * number) * mm
        fit(
            draw,
            (5 * mm, top, right, top + (5.2 if number == 0 else 4.2) * mm),
            row,
            INK,
            "heavy" if number == 0 else "sans",
            "left",
        )
    draw.line([1 * mm, 42.5 * mm, width - 1 * mm, 42.5 * mm], fill=INK, width=4)

    paper.paste(bars.resize((bars.width, 30 * mm), Image.Resampling.NEAREST), (11 * module, 46 * mm))
    fit(draw, (30 * mm, 77.5 * mm, width - 30 * mm, 82.5 * mm), text, INK, "mono")
    return ShippingLabel(text, (width / px / 1000, height / px / 1000), np.asarray(paper, np.float32) / 255)
