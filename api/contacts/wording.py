"""What to write to a customer whose parcel is late: an apology, the fact behind it, what comes next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo

from api.shipments.tracking import Status, TrackingEvent

ENGLISH, CHINESE = "en", "zh"

_STATUS = {
    ENGLISH: {
        Status.LABEL_CREATED: "the label was made, the parcel not yet scanned",
        Status.PICKED_UP: "picked up",
        Status.IN_TRANSIT: "on its way",
        Status.CUSTOMS: "in customs",
        Status.OUT_FOR_DELIVERY: "out for delivery",
        Status.READY_FOR_PICKUP: "ready to be picked up",
        Status.ATTEMPT_FAILED: "a delivery was attempted and failed",
        Status.DELAYED: "delayed",
        Status.EXCEPTION: "something went wrong on the way",
        Status.RETURNING: "on its way back to us",
        Status.RETURNED: "returned to us",
        Status.DELIVERED: "delivered",
        Status.EXPIRED: "no news for a long time",
    },
    CHINESE: {
        Status.LABEL_CREATED: "已下单，尚未揽收",
        Status.PICKED_UP: "已揽收",
        Status.IN_TRANSIT: "运输途中",
        Status.CUSTOMS: "清关中",
        Status.OUT_FOR_DELIVERY: "派送中",
        Status.READY_FOR_PICKUP: "待自取",
        Status.ATTEMPT_FAILED: "派送未成功",
        Status.DELAYED: "运输延误",
        Status.EXCEPTION: "运输异常",
        Status.RETURNING: "退回途中",
        Status.RETURNED: "已退回",
        Status.DELIVERED: "已签收",
        Status.EXPIRED: "长时间无更新",
    },
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known. newest: the courier's last word, None if it never said one. zone: the customer's."""

    order: str
    name: str | None
    promised_by: date
    carrier: str
    tracking_number: str
    newest: TrackingEvent | None
    zone: tzinfo


def language_of(asked: str | None) -> str:
    """The language we can write, for what the customer reads ("zh-Hans-CN" is Chinese); English if we cannot."""
    primary = (asked or "").replace("_", "-").partition("-")[0].lower()
    return CHINESE if primary == CHINESE else ENGLISH


def suggestion(facts: Facts, language: str) -> str:
    """A message to start from, in "en" or "zh". It says nothing that is not known."""
    return _chinese(facts) if language == CHINESE else _english(facts)


def _english(facts: Facts) -> str:
    greeting = f"Hello {facts.name}," if facts.name else "Hello,"
    if facts.newest is None:
        fact = f"{facts.carrier} has not told us anything about the parcel ({facts.tracking_number}) yet."
    else:
        day = facts.newest.at.astimezone(facts.zone).date()
        place = f" in {facts.newest.place}" if facts.newest.place else ""
        said = facts.newest.text.rstrip(".") or _STATUS[ENGLISH][facts.newest.status]
        fact = f"The last that {facts.carrier} told us ({facts.tracking_number}), on {_day(day)}{place}: {said}."
    return (
        f"{greeting} your order {facts.order} was promised for {_day(facts.promised_by)} and has not arrived. "
        f"We are sorry. {fact} We are asking them where it is and will write again as soon as we know more."
    )


def _chinese(facts: Facts) -> str:
    greeting = f"{facts.name}，您好！" if facts.name else "您好！"
    if facts.newest is None:
        fact = f"{facts.carrier}（单号 {facts.tracking_number}）目前还没有任何物流记录。"
    else:
        day = facts.newest.at.astimezone(facts.zone).date()
        place = f"，{facts.newest.place}" if facts.newest.place else ""
        said = facts.newest.text.rstrip("。.") or _STATUS[CHINESE][facts.newest.status]
        fact = f"{facts.carrier}（单号 {facts.tracking_number}）的最新记录（{day.month}月{day.day}日{place}）：{said}。"
    promised = facts.promised_by
    return (
        f"{greeting}您的订单 {facts.order} 原定于{promised.year}年{promised.month}月{promised.day}日送达，"
        f"目前尚未送达，非常抱歉。{fact}我们正在向快递公司查询，一有进展会立即告知您。"
    )


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
