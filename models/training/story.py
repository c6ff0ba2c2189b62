"""The card for people: what the model is, how good it is and is not, and what it has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAGE = """\
# parcel/{version}

The eye of Lastlook: finds parcels, shipping labels and handling marks, and judges whether a parcel is damaged.
First trained version; state: {state}. Licence: {licence}. Made {created} by `models/training` (see docs/models.md).
model.onnx: sha256 `{sha256}`.

## How it looks

The same network looks twice. First at the whole picture, letterboxed to {side} x {side}: parcels, labels, marks.
Then at the main parcel, its box enlarged by {margin} % on each side: damage, and marks and labels at a finer scale.

The trunk is EfficientNet-Lite0 with ImageNet weights, not changed in training. A light neck, an anchor-free head and a
damage map are trained. The probability of damage is a linear layer on {damage_head}, calibrated after
Platt. The damage map ({map} cells) says where to look first; the decision is made by the probability.

## How good it is

{how}

| on | what | value (95 % interval) | n |
|---|---|---|---|
{rows}

At the card's thresholds on the {photos} photos from the web: {damaged_stopped} % of the damaged are stopped (fail or
unsure), and {intact_stopped} % of the intact. A parcel was found on {parcel_found} of {photos}.

Marks on composites: the photo below them is unseen, the way of drawing them is not, so real marks will be found less
often than this table says. Recall: of the looks that show the mark, the share that is told to; precision: of the looks
told to show it, the share that does.

| mark | used | recall, close look | precision, close look | recall, whole picture | looks that show it, close / whole |
|---|---|---|---|---|---|
{marks}

{real_marks}

## What to know before trusting it

{honest}

## Never seen

{never_seen}

## Made from

{sources}

None of the photos ships with the model; the golden pictures are renders of our own. The thresholds in card.json each
say which data they were chosen on; none was chosen on the photos from the web.
"""

HONEST = (
    "The photos from the web mostly show obvious damage (mild and doubtful cases were left out), so a bench "
    "will see lower figures. The renders, whose damage goes down to slight, show what mild damage costs.",
    "Marks are its weak side: read the table before you rely on it. A mark that is not used could not be told with "
    "70 % precision on unseen renders and composites together; where an order asks for it, the inspector answers "
    "unsure and a person looks. The others are found too seldom, which costs false stops; where the table shows low "
    "precision they are also seen where they are not.",
    "Damage was learnt from renders and composites. The kinds in the damage map are a hint, not a diagnosis.",
    "The only handling mark with real photos is this way up; all others were learnt from drawings of our own.",
    "The licensed photos come from few places (20 groups), which the intervals reflect only in part.",
    "The cross-validated networks were trained for fewer steps than the released one: thresholds may be a little off.",
)


def told(card: Mapping[str, Any], sha256: str) -> str:
    """CARD.md as text."""
    metrics = card["metrics"]
    web = metrics["photos_from_the_web_dev_eval"]
    compared = metrics["integrity_unseen_training_views"]
    at = web["at_the_card's_thresholds"]
    kinds = len(card["damage_kinds"])
    best = compared["pooled_features_and_damage_map" if "map" in compared["chosen"] else "pooled_features"]
    rows = [
        ("photos from the web (measured only)", "damage, AUROC", web["auroc"]),
        ("photos from the web (measured only)", "damage, average precision", web["average_precision"]),
        (
            "photos from the web (measured only)",
            "damaged caught at 5 % false stops",
            web["recall_at_5_percent_false_stops"],
        ),
        ("unseen renders", "damage, AUROC", best["renders"]["auroc"]),
        ("unseen renders", "damaged caught at 5 % false stops", best["renders"]["recall_at_5_percent_false_stops"]),
        ("unseen photos with composed damage", "damage, AUROC", best["photos_with_composed_damage"]["auroc"]),
        ("unseen licensed photos", "parcel boxes, AP50", metrics["parcel_ap50_photos"]),
        ("unseen renders", "parcel boxes, AP50", metrics["parcel_ap50_renders"]),
        ("unseen licensed photos", "shipping labels, AP50", metrics["shipping_label_ap50_photos"]),
        (
            "licensed photos whose marks were checked",
            "photos with a false mark",
            metrics["marks_false_alarms_checked_photos"],
        ),
    ]
    up = metrics["this_way_up_real_photos"].get("this_way_up")
    if up:
        rows.append(("unseen licensed photos", "looks with a real this-way-up mark that are told so", up["recall"]))
        rows.append(("unseen licensed photos", "looks told to show one that do", up["precision"]))
    return PAGE.format(
        version=card["version"],
        state=card["state"],
        licence=card["licence"],
        created=card["created"],
        sha256=sha256,
        side=card["input"]["side"],
        margin=round(100 * card["crop_margin"]),
        map=f"{kinds} kinds on 40 x 40",
        damage_head=compared["chosen"],
        how=metrics["how"],
        rows="\n".join(f"| {on} | {what} | {_figure(value)} | {value['n']} |" for on, what, value in rows),
        photos=web["photos"],
        parcel_found=web["parcel_found"],
        damaged_stopped=round(100 * at["damaged_stopped"]),
        intact_stopped=round(100 * at["intact_stopped"]),
        marks="\n".join(_mark(name, card) for name in metrics["marks_held_out_composites"]),
        real_marks=_real_marks(web["marks"]),
        honest="\n".join(f"- {line}" for line in HONEST),
        never_seen="\n".join(f"- {line}" for line in card["never_seen"]),
        sources="\n".join(f"- {s['name']} ({s['licence']}): {s['use']}" for s in card["sources"]),
    )


def _real_marks(marks: Mapping[str, Any]) -> str:
    if not marks:
        return "No photo from the web had its marks checked."
    return (
        f"On the {marks['photos_checked']} photos from the web whose marks were checked, {marks['marks_found']} of "
        f"{marks['marks_there']} marks are found; a share of {_figure(marks['photos_with_a_false_mark'])} "
        "of the photos shows a mark that is not there."
    )


def _figure(value: Mapping[str, Any]) -> str:
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def _mark(name: str, card: Mapping[str, Any]) -> str:
    metrics, used = card["metrics"], "yes" if name in card["thresholds"]["marks"] else "no"
    close = metrics["marks_held_out_composites"][name]
    whole = metrics["marks_held_out_composites_whole_frame"][name]
    figures = " | ".join(_figure(v) for v in (close["recall"], close["precision"], whole["recall"]))
    return f"| {name} | {used} | {figures} | {close['looks_that_show_it']} / {whole['looks_that_show_it']} |"
