"""The contents check: does the open box hold what the packing list says?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp

import numpy as np

from inspector.embedder import Embedder
from inspector.frame import Frame
from inspector.gallery import Embedder as AnyEmbedder
from inspector.gallery import Item
from inspector.item_records import item_id
from inspector.joined import joined
from inspector.scene import Scene, look
from inspector.sightings import Sighting, Wanted, sight
from inspector.spec import Check, ExpectedItem, PackingSpec
from inspector.strangers import Shop, Stranger, find_strangers
from inspector.template import Memory
from inspector.verdict import Box, CheckResult, Finding, ItemSeen, Result, skipped
from inspector.weighing import UNKNOWN_SD, Line, Weighed, weigh
from models.cards import ContentsCard

MEMORY = Memory()
"""Reference photos as they are searched for; the first order of an item pays for it."""
ACCEPT_SLOPE = 8.0
"""Log odds for each unit of cosine by which an item's own threshold differs from the usual one."""
MOST_SHIFT = 2.0
SUPPORTED = 0.3
"""Probability by the picture from which on a fitting weight may settle that a piece is there. Below `present` of the
card, or weight would settle nothing; not lower, because the more it may settle, the more often another item of the same
weight passes in the place of a piece.
"""
COUNTED = 3
"""Pieces of one item up to which one that is not seen beside the others is called missing."""
WORTH_A_LOOK = 0.3
"""Probability from which on a doubtful place is shown to the packer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the packing list over all pictures. best: the sightings of the picture that shows most of it, surest
    first. frame: which picture that is. odds: of each piece, the surest over all pictures. often: in how many pictures.
    by_frame: the sightings in each picture.
    """

    line: ExpectedItem
    best: tuple[Sighting, ...]
    frame: int
    odds: tuple[float, ...]
    often: int
    by_frame: tuple[tuple[Sighting, ...], ...] = ()


def check_contents(
    frames: Sequence[Frame],
    spec: PackingSpec,
    taught: Mapping[str, Item] | None = None,
    embedder: AnyEmbedder | None = None,
    weight_g: float | None = None,
    shop: Shop | None = None,
) -> CheckResult:
    """Find each expected item in the pictures of the open box; fail what is missing or too many, doubt the rest.

    frames: pictures of the same box; what one of them shows is there. taught: the expected items that are known, by id.
    weight_g: what lies in the box weighs, grams. shop: all taught items, to tell what nobody ordered; without it that
    is not looked for, nor where a line of the order was never taught. Fails when a piece is surely not there, when one
    too many is, and when another item surely is; is unsure about an item that was never taught, about what is neither
    surely there nor surely absent, and where something lies that no expected item is.
    """
    lines = _merged(spec.items)
    if not lines:
        return skipped(Check.CONTENTS, "the order lists no items")
    if not frames:
        return _by_hand(lines, "there is no picture of the open box")
    if not isinstance(embedder, Embedder):
        return _by_hand(lines, "no gallery of taught items is open")
    known = {line.item: taught[line.item] for line in lines if taught and line.item in taught}
    scenes = [look(frame.bgr, embedder) for frame in frames] if known else []
    seen = search(scenes, lines, known, embedder)
    # what nobody has taught may look like any taught item: of an order with such a line nobody knows what is too much
    all_known = len(seen) == len(lines)
    strangers = unordered(scenes, lines, seen, shop, embedder) if shop is not None and all_known else []
    return judge(lines, seen, known, embedder.card.contents, weight_g, strangers)


def unordered(
    scenes: Sequence[Scene],
    lines: Sequence[ExpectedItem],
    seen: Mapping[str, Seen],
    shop: Shop,
    embedder: Embedder,
) -> list[Stranger]:
    """What lies in the pictures that no line claims, after `search`. Raises GalleryError."""
    ordered = [item_id(line.item) for line in lines]
    frames = range(len(scenes))
    claimed = [[box for one in seen.values() for box in _claimed(one, i, embedder.card.contents)] for i in frames]
    expected = [[s for one in seen.values() for s in one.by_frame[i][: one.line.quantity]] for i in frames]
    spare = [[s for one in seen.values() for s in one.by_frame[i][one.line.quantity :]] for i in frames]
    return find_strangers(scenes, claimed, expected, spare, ordered, shop, embedder, MEMORY)


def _claimed(seen: Seen, frame: int, card: ContentsCard) -> list[Box]:
    """Where pieces of a line that are there lie in one picture: a worse picture need not be sure of them itself."""
    sure = [card.present if piece < seen.line.quantity else card.extra for piece in range(len(seen.odds))]
    return [
        sighting.box
        for sighting, odds, least in zip(seen.by_frame[frame], seen.odds, sure, strict=False)
        if _probability(max(sighting.odds, odds)) >= least
    ]


def judge(
    lines: Sequence[ExpectedItem],
    seen: Mapping[str, Seen],
    known: Mapping[str, Item],
    card: ContentsCard,
    weight_g: float | None = None,
    strangers: Sequence[Stranger] = (),
) -> CheckResult:
    """The answer of the check to what `search` and `unordered` have seen. Lines name each item once."""
    weighed = _weigh(lines, seen, known, weight_g)
    judged = [_judge(seen[line.item], card, weighed) if line.item in seen else _untaught(line) for line in lines]
    judged, findings = _placed(judged, strangers, known)
    return _told(judged, findings, seen, weighed, weight_g)


def _merged(items: Sequence[ExpectedItem]) -> list[ExpectedItem]:
    """One line for each item, however often the order lists it."""
    quantity: Counter[str] = Counter()
    for line in items:
        quantity[line.item] += line.quantity
    return [ExpectedItem(item, count) for item, count in quantity.items()]


def _by_hand(lines: Sequence[ExpectedItem], why: str) -> CheckResult:
    items = tuple(ItemSeen(line.item, line.quantity, 0, "unsure") for line in lines)
    listed = ", ".join(f"{line.quantity} x {line.item}" for line in lines[:5])
    more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
    return CheckResult(Check.CONTENTS, Result.SKIPPED, reason=f"{why}: count {listed}{more} by hand", items=items)


def search(
    scenes: Sequence[Scene], lines: Sequence[ExpectedItem], known: Mapping[str, Item], embedder: Embedder
) -> dict[str, Seen]:
    """Every known line, searched for in every picture of the same box, by item."""
    lines = [line for line in lines if line.item in known]
    if not lines:
        return {}
    wanted = [
        Wanted(MEMORY.template(known[line.item], embedder), line.quantity, _shift(known[line.item], embedder))
        for line in lines
    ]
    card = embedder.card.contents
    pictures = [sight(wanted, scene, card, embedder.cohort) for scene in scenes]
    every = joined(scenes, pictures, wanted, embedder)
    found = {}
    for row, line in enumerate(lines):
        by_frame = tuple(tuple(picture[row]) for picture in pictures)
        most = max(range(len(scenes)), key=lambda i: sum(exp(min(s.odds, 0.0)) for s in by_frame[i]))
        often = sum(bool(s) and _probability(s[0].odds) >= card.present for s in by_frame)
        found[line.item] = Seen(line, by_frame[most], most, tuple(every[row]), often, by_frame)
    return found


def _shift(item: Item, embedder: Embedder) -> float:
    """An item that was confirmed at lower likeness than usual is believed sooner, one that was mistaken later."""
    if item.accept is None:
        return 0.0
    return max(-MOST_SHIFT, min(MOST_SHIFT, ACCEPT_SLOPE * (embedder.alike - item.accept)))


def _weigh(
    lines: Sequence[ExpectedItem], seen: Mapping[str, Seen], known: Mapping[str, Item], weight_g: float | None
) -> Weighed | None:
    """Weight and picture together; None where there is no weight, or an item's own is not known."""
    if weight_g is None:
        return None
    scaled = []
    for line in lines:
        item = known.get(line.item)
        if item is None or item.weight_g is None:
            return None
        spread = item.weight_sd_g if item.weight_sd_g is not None else UNKNOWN_SD * item.weight_g
        scaled.append(Line(line.item, item.weight_g, spread, seen[line.item].odds[: line.quantity]))
    return weigh(scaled, weight_g)


def _probability(odds: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class _Judged:
    """One line as it is told. absent: pieces surely not there. text: what the packer reads where it is not right."""

    item: ItemSeen
    absent: int = 0
    text: str = ""


def _untaught(line: ExpectedItem) -> _Judged:
    text = f"{line.item} was never shown to the camera; teach it: lastlook teach {line.item} PHOTO"
    return _Judged(ItemSeen(line.item, line.quantity, 0, "unsure"), text=text)


def _judge(seen: Seen, card: ContentsCard, weighed: Weighed | None) -> _Judged:
    """One line: present, missing, extra or unsure, and where to look."""
    line, wanted = seen.line, seen.line.quantity
    chances = [_probability(odds) for odds in seen.odds]
    if weighed is not None:
        chances[:wanted] = [
            beside(weighty, chance, card) for weighty, chance in zip(weighed.present[line.item], chances, strict=False)
        ]
    there = sum(chance >= card.present for chance in chances[:wanted])
    over = sum(chance >= card.extra for chance in chances[wanted:]) if there == wanted else 0
    absent = sum(chance <= card.missing for chance in chances[:wanted])
    if seen.often > 1 and 0 < there < wanted:
        absent = 0  # pieces may have been shown one after another: nobody can tell how many there are
    if weighed is None and wanted > 1 and (wanted > COUNTED or not there) and chances[0] > card.missing:
        absent = 0  # many alike lie on and against each other: that no other is told apart does not prove it absent
    found = there + over
    score = min(chances[:wanted])
    likely = [sighting.box for sighting in seen.best if _probability(sighting.odds) >= WORTH_A_LOOK]
    boxes: tuple[Box, ...] = tuple(likely[: max(found, 1 + there)] if there < wanted else likely[:found])
    if over:
        result, text = "extra", f"{found} x {line.item} in the box, {wanted} ordered: take {over} out"
    elif there == wanted:
        result, text = "present", ""
    elif absent:
        result, text = "missing", f"{line.item} is missing: {wanted - there} of {wanted} not in the box"
    else:
        where = "perhaps at the marked place" if boxes else "it cannot be seen"
        result, text = "unsure", f"is {line.item} in the box ({there} of {wanted} seen)? {where}; show it to the camera"
    if result == "missing":
        boxes = boxes[:there]
    return _Judged(ItemSeen(line.item, wanted, found, result, score, boxes, seen.frame), absent, text)


def beside(weighty: float, chance: float, card: ContentsCard) -> float:
    """The chance by weight and picture. Where they contradict each other a person looks: what the camera hardly sees,
    weight alone never makes present (another item of the same weight in its place would pass else), and what it surely
    sees, weight alone never makes missing (the scale may have been empty, or not tared). Between them it may do both.
    """
    unsure = (card.missing + card.present) / 2
    if chance < SUPPORTED:
        return min(weighty, unsure)
    return max(weighty, unsure) if chance >= card.present else weighty


def _placed(
    judged: Sequence[_Judged], strangers: Sequence[Stranger], known: Mapping[str, Item]
) -> tuple[list[_Judged], list[Finding]]:
    """The lines with what nobody ordered, and what there is to find: a taught item that lies there while a line is
    missing lies in the place of the line that it looks like most; where none is missing it is too much. What is no
    taught item is told only where every line is accounted for: else it may be what is looked for.
    """
    lines, findings = list(judged), []
    for stranger in (s for s in strangers if s.item is not None):
        gone = [i for i, line in enumerate(lines) if line.item.result == "missing"]
        if gone:
            at = max(gone, key=lambda i: _likeness(known[lines[i].item.item], stranger))
            lines[at] = _swapped(lines[at], stranger)
            kind, severity, text = "wrong_item", 1.0, lines[at].text
        else:
            kind, severity = "extra_item", 0.5
            text = f"{stranger.item} lies in the box and is not on the packing list: take it out"
            seen = ItemSeen(stranger.item or "", 0, 1, "extra", stranger.chance, (stranger.box,), stranger.frame)
            lines.append(_Judged(seen, text=text))
        findings.append(Finding(kind, severity, stranger.chance, stranger.box, text, stranger.frame))
    if all(line.item.result in ("present", "extra") for line in lines):
        findings += [
            Finding("extra_item", 0.3, s.chance, s.box, "something nobody ordered seems to lie at the marked place: "
                    "take it out, or look what it is", s.frame)
            for s in strangers if s.item is None
        ]  # fmt: skip
    return lines, findings


def _likeness(item: Item, stranger: Stranger) -> float:
    """Cosine of a thing to the nearest view of an item."""
    shown = np.array([not reference.counter for reference in item.references], np.bool_)
    return float((item.embeddings[shown] @ stranger.look).max())


def _swapped(line: _Judged, stranger: Stranger) -> _Judged:
    """A line that is missing while another item lies in the box."""
    text = f"{stranger.item} lies in the box in the place of {line.item.item}: {line.text}"
    item = replace(line.item, result="wrong", boxes=(stranger.box,), frame=stranger.frame)
    return _Judged(item, line.absent, text)


def _told(
    judged: Sequence[_Judged],
    strange: Sequence[Finding],
    seen: Mapping[str, Seen],
    weighed: Weighed | None,
    weight_g: float | None,
) -> CheckResult:
    """The answer of the check: any piece missing, wrong or too many fails, any doubt is unsure, all present passes."""
    findings = [_finding(j, seen) for j in judged if j.item.result in ("missing", "extra") and j.item.expected]
    findings += strange
    doubts = [j.text for j in judged if j.item.result == "unsure"]
    doubts += [finding.text for finding in strange if finding.kind == "extra_item" and finding.severity < 0.5]
    if weighed is not None and weight_g is not None and not weighed.fits:
        findings.append(_off_weight(weighed, weight_g))
        doubts.append(findings[-1].text)
    failed = any(j.item.result in ("missing", "extra", "wrong") for j in judged)
    result = Result.FAIL if failed else Result.UNSURE if doubts else Result.PASS
    return CheckResult(
        Check.CONTENTS,
        result,
        findings=tuple(sorted(findings, key=lambda finding: -finding.score)),
        reason="; ".join(doubts) or None,
        items=tuple(j.item for j in judged),
    )


def _finding(judged: _Judged, seen: Mapping[str, Seen]) -> Finding:
    item = judged.item
    if item.result == "extra":
        pieces = seen[item.item].best
        last = pieces[min(item.found, len(pieces)) - 1]
        return Finding("extra_item", 0.5, _probability(last.odds), last.box, judged.text, item.frame)
    return Finding("missing_item", 1.0, 1 - (item.score or 0.0), None, judged.text)


def _off_weight(weighed: Weighed, weight_g: float) -> Finding:
    """What the scale says in one sentence, with the items whose absence explains it."""
    off = weight_g - weighed.expected_g
    said = f"{abs(off):.0f} g {'more' if off > 0 else 'less'} than the {weighed.expected_g:.0f} g of a complete box"
    if weighed.explains and weighed.explained:
        said += ", as if " + " and ".join(f"{n} x {item}" for item, n in weighed.explains) + " were missing"
    return Finding("weight_mismatch", min(1.0, abs(off) / max(weighed.expected_g, 1.0)), 1.0, None, said)
