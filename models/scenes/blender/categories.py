"""What is annotated, in the order of its COCO ids."""

from __future__ import annotations

CATEGORIES = (
    "carton",
    "mailer",
    "open_box",
    "shipping_label",
    "tape",
    "strap",
    "void_fill",
    *(
        f"mark_{kind}"
        for kind in (
            "fragile",
            "this_way_up",
            "keep_dry",
            "handle_with_care",
            "lithium_battery",
            "keep_away_from_sun",
            "stack_limit",
        )
    ),
    *(f"damage_{kind}" for kind in ("crush", "dent", "tear_hole", "open_flap", "wet_stain", "dirt_scuff")),
)
"""Ids are 1 + the place in this list; kinds of items follow as they are met."""
