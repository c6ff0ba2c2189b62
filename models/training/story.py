"""The card for people: what the model is, how good it is and is not, and what it has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAGE = """\
# parcel/{version}

The eye of Lastlook: finds parcels and shipping labels, and judges whether a parcel is damaged. Handling marks are read
by a model of their own (models/marks). Licence: {licence}. Made {created} by `models/training` (see docs/models.md).

{digests}

## How it looks

Two networks of one form. The first looks at the whole picture, letterboxed to {side} x {side}: parcels and labels.
The second looks at the main parcel, its box enlarged by {margin} % on each side: damage, and labels at a finer scale.

The trunk of each is EfficientNet-Lite0 with ImageNet weights; its late blocks were tuned, the early ones are unchanged.
A light neck, an anchor-free head and, for the second, a damage map are trained. The probability of damage is a linear
layer (head.npz) on {damage_head}, calibrated after Platt. The damage map ({map} cells) says where to
look first; the decision is made by the probability.
{eight_bits}

## How good it is

{how}
The far look: {how_far}
Each figure on unseen pictures is of a network that never saw the group it is measured on. Intervals: 95 %, bootstrap
over groups.

| on | what | value (95 % interval) | n |
|---|---|---|---|
{rows}

At the card's thresholds on the {photos} photos from the web: {damaged_stopped} % of the damaged are stopped (fail or
unsure), and {intact_stopped} % of the intact. {no_parcel}

By kind of damage on those photos (each kind against all intact ones, AUROC): {by_type}.

The thresholds are the cheapest for these costs: an escape {escape}, a false stop {false_stop}, a look {look}, with
{damaged_share} % of the parcels damaged. On the views they were chosen on (renders, composites, real photos; unseen by
the network) {unsure_intact} % of the intact are unsure.{promise}
A bench with photos of its own gets thresholds of its own, and a promise, by `lastlook adapt`.

## What to know before trusting it

{honest}

## Never seen

{never_seen}

## Made from

{sources}

None of the photos ships with the model; the golden pictures are renders of our own. The thresholds in card.json each
say which data they were chosen on; none was chosen on the photos from the web.
"""

WEB = "photos from the web (measured only)"
HONEST = (
    "The photos from the web mostly show obvious damage (mild and doubtful cases were left out), so a bench "
    "will see lower figures. The renders, whose damage goes down to slight, show what mild damage costs.",
    "Damage was learnt from renders and composites. The kinds in the damage map are a hint, not a diagnosis.",
    "The licensed photos come from few places (20 groups), which the intervals reflect only in part.",
    "No picture of an empty bench taught it: a smooth surface that fills the picture is sometimes taken for a "
    "parcel, and on {signs} of {without} pictures of signs and bottles, of groups the answering network had not seen, "
    "it finds one. The bench's trigger, not the eye, says that something was laid down.",
)


def told(card: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """CARD.md as text. digests: sha256 of each graph, by its file's name."""
    metrics = card["metrics"]
    web = metrics["photos_from_the_web_dev_eval"]
    integrity = web["integrity"]
    compared = metrics["integrity_unseen_training_views"]
    at = integrity["at_the_card's_thresholds"]
    best = compared["pooled_features_and_damage_map" if "map" in compared["chosen"] else "pooled_features"]
    points = card["thresholds"]["integrity"]
    rows = [
        (WEB, "damage, AUROC", integrity["auroc"]),
        (WEB, "damage, average precision", integrity["average_precision"]),
        *(
            (WEB, f"damaged caught at {float(share):.0%} false stops", figure)
            for share, figure in integrity["recall_at_false_stops"].items()
        ),
        (WEB, "calibration error", integrity["calibration"]["at_even_odds"]["ece"]),
        ("unseen renders", "damage, AUROC", best["renders"]["auroc"]),
        ("unseen renders", "damaged caught at 5% false stops", best["renders"]["recall_at_5_percent_false_stops"]),
        (
            "unseen renders",
            "the same of a probe on untuned features",
            compared["probe_on_frozen_features"]["renders"]["auroc"],
        ),
        ("unseen photos with composed damage", "damage, AUROC", best["photos_with_composed_damage"]["auroc"]),
        ("unseen licensed photos", "parcel boxes, AP50", metrics["parcel_ap50_photos"]),
        ("unseen renders", "parcel boxes, AP50", metrics["parcel_ap50_renders"]),
        ("unseen renders, whole frames", "the parcel found", metrics["parcel_found_renders"]),
        ("unseen licensed photos", "shipping labels, AP50", metrics["shipping_label_ap50_photos"]),
        ("unseen renders", "shipping labels, AP50", metrics["shipping_label_ap50_renders"]),
    ]
    nothing = metrics["pictures_without_a_parcel"]
    nowhere = sum(integrity["without_score"].values())
    return PAGE.format(
        version=card["version"],
        licence=card["licence"],
        created=card["created"],
        digests="\n".join(f"- {name}: sha256 `{sha256}`" for name, sha256 in digests.items()),
        side=card["input"]["side"],
        margin=round(100 * card["crop_margin"]),
        map=f"{len(card['damage_kinds'])} kinds on 40 x 40",
        damage_head=compared["chosen"],
        eight_bits=_eight_bits(card["eight_bits"]),
        how=metrics["how"],
        how_far=metrics["how_the_far_look"],
        rows="\n".join(f"| {on} | {what} | {_figure(value)} | {value['n']} |" for on, what, value in rows),
        photos=web["pictures"]["judged"],
        damaged_stopped=_percent(at["damaged"]["stopped"]),
        intact_stopped=_percent(at["intact"]["stopped"]),
        no_parcel="A parcel was found on all of them." if not nowhere else f"On {nowhere} no parcel was found.",
        by_type=", ".join(
            f"{kind} {_figure(told['auroc'])}, n = {told['damaged']}"
            for kind, told in integrity["by_damage_type"].items()
        ),
        escape=f"{points['costs']['escape']:g}",
        false_stop=f"{points['costs']['false_stop']:g}",
        look=f"{points['costs']['look']:g}",
        damaged_share=f"{100 * points['costs']['damaged_share']:g}",
        unsure_intact=round(100 * points["unsure_share"]["intact"]),
        promise=_promise(points),
        honest="\n".join(f"- {line}" for line in HONEST).format(
            signs=nothing["with_a_parcel_found"], without=nothing["pictures"]
        ),
        never_seen="\n".join(f"- {line}" for line in card["never_seen"]),
        sources="\n".join(f"- {s['name']} ({s['licence']}): {s['use']}" for s in card["sources"]),
    )


def _eight_bits(told: Mapping[str, Any]) -> str:
    says = (
        f"on {told['pictures']} real photos {told['same_verdict']} times the verdict and\n{told['same_integrity']} "
        "times the integrity result of the graphs in float that they were written from"
    )
    if told["shipped"]:
        return (
            "The far look's graph (model.onnx) computes in float, for a box that is a pixel off shows the close look "
            f"another crop;\nthe close look's (close.onnx) computes in 8 bits. Together they give {says}."
        )
    return (
        "Both graphs compute in float, with weights kept in half precision. With the close look in 8 bits they give "
        f"{says},\nwhich is too seldom to ship it."
    )


def _promise(points: Mapping[str, Any]) -> str:
    misses, stops = points["promise"], points["promise_of_false_stops"]
    return (
        f"\nWith {misses['confidence']:.0%} confidence at most {misses['miss_rate_at_most']:.0%} of damaged parcels "
        f"like those pass ({misses['missed']} of {misses['photos']} views of {misses['groups']} groups did), and at "
        f"most {stops['false_stop_rate_at_most']:.0%} of the intact fail ({stops['stopped']} of {stops['photos']} of "
        f"{stops['groups']}); a group counts as wrong when one of its views is."
    )


def _percent(figure: Mapping[str, Any]) -> int:
    return round(100 * float(figure["value"]))


def _figure(value: Mapping[str, Any]) -> str:
    if any(value[part] is None for part in ("value", "low", "high")):
        return "not known"
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
