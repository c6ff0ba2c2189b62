"""What marks say in words, alone and together, and what other prints on parcels say; / breaks the line."""

from __future__ import annotations

import numpy as np


def _texts(written: str) -> tuple[str, ...]:
    return tuple(text.replace("/", "\n") for text in written.split(" | "))


WORDS = {
    "fragile": _texts(
        "FRAGILE | FRAGILE | FRAGILE | Fragile | 易碎 | 易碎品 | 易碎物品 | HANDLE: FRAGILE | FRÁGIL | "
        "FRAGILE! | FRAGILE/GLASS | VERY/FRAGILE | 易碎品/FRAGILE | CAUTION/FRAGILE | ZERBRECHLICH"
    ),
    "this_way_up": _texts(
        "THIS SIDE UP | THIS WAY UP | UP | 此面向上 | 向上 | UP THIS SIDE | THIS/SIDE UP | "
        "THIS END UP | 此面向上/THIS SIDE UP | THIS WAY/UP | THIS/WAY/UP | 朝上 | 请勿倒置"
    ),
    "keep_dry": _texts(
        "KEEP DRY | KEEP DRY | 怕雨 | 防潮 | 请勿受潮 | KEEP/DRY | 怕湿 | 防水防潮 | PROTECT FROM/MOISTURE"
    ),
    "handle_with_care": _texts(
        "HANDLE WITH CARE | HANDLE WITH CARE | 小心轻放 | 轻拿轻放 | WITH CARE | 小心轻放 | "
        "HANDLE/WITH CARE | HANDLE/WITH/CARE | PLEASE HANDLE/WITH CARE | Handle with care | 小心/轻放"
    ),
    "do_not_stack": _texts(
        "DO NOT STACK | 禁止堆码 | NO STACKING | 请勿叠放 | DO NOT/STACK | DO NOT/DOUBLE/STACK | "
        "禁止叠放 | 勿压 | 请勿重压 | DO NOT STACK!"
    ),
    "keep_away_from_sun": _texts(
        "KEEP AWAY/FROM SUN | 怕晒 | PROTECT FROM/HEAT | KEEP AWAY FROM/SUNLIGHT | 防晒 | 避免日晒 | "
        "KEEP OUT OF/SUNLIGHT | PROTECT FROM/SUNLIGHT | 远离热源"
    ),
    "lithium_battery": _texts(
        "LITHIUM BATTERY | LITHIUM ION/BATTERIES | CAUTION!/LITHIUM ION/BATTERIES | 含锂电池 | "
        "LITHIUM BATTERIES/INSIDE | 锂电池 | LITHIUM METAL/BATTERIES"
    ),
}
TOGETHER: tuple[tuple[tuple[str, ...], str], ...] = (
    (("fragile", "handle_with_care"), "FRAGILE\nHANDLE WITH CARE"),
    (("fragile", "handle_with_care"), "FRAGILE\nPLEASE HANDLE WITH CARE"),
    (("fragile", "handle_with_care"), "HANDLE WITH CARE\nFRAGILE"),
    (("fragile", "handle_with_care"), "易碎物品\n小心轻放"),
    (("fragile", "handle_with_care"), "易碎品 轻拿轻放"),
    (("fragile", "this_way_up"), "FRAGILE\nTHIS SIDE UP"),
    (("fragile", "this_way_up"), "FRAGILE\nTHIS WAY UP"),
    (("fragile", "this_way_up"), "易碎\n向上"),
    (("handle_with_care", "this_way_up"), "小心轻放\n此面向上"),
    (("handle_with_care", "do_not_stack"), "HANDLE WITH CARE\nDO NOT STACK"),
    (("keep_dry", "this_way_up"), "KEEP DRY\nTHIS SIDE UP"),
    (("keep_dry", "keep_away_from_sun"), "怕湿 怕晒"),
)
"""What one sticker says of several marks at once."""
NO_MARKS = _texts(
    "MADE IN CHINA | PRIORITY MAIL | EXPRESS | HEAVY | OPEN HERE | DO NOT BEND | URGENT | THANK YOU | "
    "RECYCLE ME | PERISHABLE | THIS BOX IS 100%/RECYCLABLE | TEAM LIFT | OVERWEIGHT | LOT 2231-A | "
    "PLEASE RECYCLE | FREE SHIPPING | RETURN TO | DO NOT OPEN/WITH KNIFE | KEEP FROZEN | QTY 24 PCS | "
    "N.W. 12.5 KG/G.W. 13.2 KG | SMALL PARTS | INSPECTED | PASSED | SAMPLE | DATE: | WARNING | FRONT | "
    "顺丰速运 | 中通快递 | 谢谢惠顾 | 新鲜水果 | 品质保证 | 出口 | 加急 | 合格证 | 京东物流 | "
    "请勿折叠 | STACKABLE | FRAGRANCE | UP TO 50% OFF | FRESH | HANDMADE/WITH LOVE | KEEP REFRIGERATED | "
    "THIS WAY/TO OPEN | DRY FOOD | GLASSES | CARE | BATTERY/NOT INCLUDED | UPS | "
    "DO NOT RECEIVE/IF DAMAGED | KEEP OUT OF REACH/OF CHILDREN | NOT FOR SALE | HEAVY/TWO PERSON LIFT | "
    "MEDIUM BOX | KITCHEN | 向日葵 | 小心地滑 | 轻奢 | 易拉罐 | 防伪"
)
LETTERS = "EEEAAIIOONNRRTTSSLLCCUUDDPPMMHHGGBBFFYYWWKKVVXZJQ"
HAN = "中国快递有限公司商品电子服务生产日期净重规格型号地址电话食用油水果茶叶新鲜包装箱数量厂家直销质量保证请茶具"


def babble(rng: np.random.Generator) -> str:
    """Words that nobody has written, of one to three lines: so that marks are read, not guessed from their look."""
    lines = []
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))):
        if rng.random() < 0.25:
            lines.append("".join(rng.choice(list(HAN), int(rng.integers(2, 6)))))
        else:
            lengths = rng.integers(2, 9, int(rng.integers(1, 3)))
            words = ["".join(rng.choice(list(LETTERS), int(length))) for length in lengths]
            lines.append(" ".join(words) if rng.random() < 0.8 else " ".join(words).capitalize())
    return "\n".join(lines)
