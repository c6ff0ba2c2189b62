"""The figures of `lastlook evaluate parcels` as a page of text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Told = Mapping[str, Any]


def as_text(document: Told) -> str:
    """The document of `parcel_document`, figure by figure with its 95 % interval and what it rests on."""
    return "\n".join(_lines(document))


def _lines(document: Told) -> Iterator[str]:
    pictures, integrity = document["pictures"], document["integrity"]
    models = ", ".join(f"{model['name']}/{model['version']}" for model in document["models"])
    yield f"{models} on {document['folder']}"
    left_out = "".join(f", {n} left out ({why})" for why, n in pictures["left_out"].items())
    yield (
        f"  {pictures['judged']} pictures in {pictures['groups']} groups: {pictures['damaged']} damaged, "
        f"{pictures['intact']} intact, {pictures['doubtful']} doubtful{left_out}"
    )
    if pictures["unreadable"]:
        yield f"  {len(pictures['unreadable'])} could not be read and count nowhere (named above)"
    lost = integrity["without_score"]
    if lost["damaged"] or lost["intact"]:
        yield f"  no parcel found on {lost['damaged']} damaged and {lost['intact']} intact: ranked below all others"
    yield ""
    yield from _damage(integrity)
    yield from _thresholds(integrity["at_the_card's_thresholds"])
    yield from _calibration(integrity["calibration"])
    yield from _marks(document["marks"])
    for name in ("parcels", "labels"):
        yield from _boxes(name, document[name])
    yield from _times(document["timings_ms"])


def _damage(integrity: Told) -> Iterator[str]:
    rows = [("all", integrity)]
    rows += [(kind.replace("_", " "), told) for kind, told in integrity["by_damage_type"].items()]
    sources = integrity["by_source"] if len(integrity["by_source"]) > 1 else {}
    rows += [(f"from {source}", told) for source, told in sources.items() if told["auroc"]["value"] is not None]
    head = ("AUROC", "average precision", "found at 5 % false stops")
    yield f"{'Damage':20} damaged  intact  " + "  ".join(f"{name:20}" for name in head).rstrip()
    for name, told in rows:
        figures = (told["auroc"], told["average_precision"], told["recall_at_false_stops"]["0.05"])
        row = "  ".join(f"{_of(figure):20}" for figure in figures)
        yield f"  {name:18} {told['damaged']:7} {told['intact']:7}  {row}".rstrip()
    at = integrity["recall_at_false_stops"]
    yield "  found at 1 %, 5 %, 10 % false stops: " + ", ".join(_of(figure) for figure in at.values())
    for source, told in sources.items():
        for state in ("damaged", "intact"):
            if told[state]:
                yield f"  from {source}: of {told[state]} {state} stopped {_of(told[f'{state}_stopped'])}"
    yield ""


def _thresholds(told: Told) -> Iterator[str]:
    yield "At the card's thresholds"
    for name in ("damaged", "intact"):
        mine = told[name]
        if mine["photos"]:
            said = ", ".join(
                f"{word.replace('_', ' ')} {_of(mine[word])}" for word in ("stopped", "unsure", "no_parcel", "retake")
            )
            yield f"  of {mine['photos']} {name}: {said}"
    if told["retake_reasons"]:
        why = ", ".join(f"{kind.replace('_', ' ')} {n}" for kind, n in told["retake_reasons"].items())
        yield f"  retake, because: {why}"
    bound = told["damaged"]["misses_at_most"]
    if bound["rate"] is not None:
        yield (
            f"  {bound['missed']} of {bound['groups']} damaged groups passed: "
            f"with 95 % confidence at most {bound['rate']:.1%} of such"
        )
    yield ""


def _calibration(told: Told) -> Iterator[str]:
    if "at_even_odds" not in told:
        return
    even, found = told["at_even_odds"], told["as_found"]
    yield f"Calibration on {told['photos']} pictures"
    yield f"  at even odds   error {_of(even['ece'])}, Brier {_of(even['brier'])}"
    yield f"  as found       error {_of(found['ece'])}, Brier {_of(found['brier'])}"
    yield "  said -> was    " + "  ".join(f"{b['said']:.2f} -> {b['was']:.2f}" for b in even["reliability"])
    yield ""


def _marks(told: Told) -> Iterator[str]:
    if not told["photos_checked"]:
        yield "Marks: nobody looked for them on these pictures\n"
        return
    elsewhere = f", {told['elsewhere']} more on parcels that were not judged" if told["elsewhere"] else ""
    yield f"Marks on {told['photos_checked']} pictures looked through by people: {told['boxes']} boxes{elsewhere}"
    for key in ("at_iou_0.3", "at_iou_0.5"):
        for name, row in told[key].items():
            if name == "all" and len(told[key]) == 2:  # one mark is all marks
                continue
            yield (
                f"  {key.removeprefix('at_').replace('_', ' ').replace('iou', 'IoU')} {name.replace('_', ' '):18} "
                f"{row['right']:3} of {row['there']:3} found, {row['said'] - row['right']:3} wrong   "
                f"recall {_of(row['recall'])}, precision {_of(row['precision'])}"
            )
    for name, n in told["not_judged"].items():
        yield f"  {name.replace('_', ' ')}: {n} there; this model leaves it to people"
    for name, row in told["orientation"].items():
        yield (
            f"  turn of {name.replace('_', ' ')}: median {row['median_error_deg']} degrees off, "
            f"{row['share_within_45_deg']:.0%} of {row['marks']} within 45"
        )
    false = told["false_marks"]
    yield (
        f"  invented on {false['photos_with_an_invented_mark']} of {false['photos_without_marks']} pictures without "
        f"marks: {_of(false['share'])}"
    )
    yield ""


def _boxes(name: str, told: Told | None) -> Iterator[str]:
    if told is None:
        yield f"{name.capitalize()}: nobody drew boxes around them"
    else:
        yield (
            f"{name.capitalize()} on {told['photos']} pictures: AP50 {_of(told['ap50'])}; from {told['threshold']} on "
            f"{told['found']} of {told['boxes']} found, {told['invented']} wrong"
        )


def _times(told: Told) -> Iterator[str]:
    if told["total"]:
        decode, judge = told["decode"], told["judge"]
        yield (
            f"Time a picture: decode {decode['median']} ms, judge {judge['median']} ms "
            f"(95 % within {told['total']['p95']} ms together)"
        )


def _of(figure: Told) -> str:
    if figure["value"] is None:
        return "-"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"
