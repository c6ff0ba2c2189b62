"""The whole way from a folder of photos to a registered candidate, or to a refusal with its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from inspector.head import DamageHead
from models import Model, ParcelCard, of_kind
from models.adaptation.adapting import Adapted, Rival, adapt
from models.adaptation.candidate import candidate, golden
from models.adaptation.features import Lessons, Shelf, lessons
from models.adaptation.kept import read_kept
from models.cards import Comparison
from models.evaluation.labelled import Labelled, LabelsError, read_labelled
from models.evaluation.promise import Asked, Costs
from models.registry import Registry

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """version: of the candidate. created: the day, for its card. costs, asked: see `models.evaluation.promise`."""

    version: str
    created: str
    costs: Costs = field(default_factory=Costs)
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of it. ref: name/version. base: what it began with. folder: where it lies; None when nothing was
    registered. recalled: photos that the network had looked at before.
    """

    ref: str
    base: str
    lessons: Lessons
    adapted: Adapted
    folder: Path | None
    recalled: int


def teach(
    data: Path | None,
    examples: Path | None,
    registry: Registry,
    cache: Path,
    wish: Wish,
    *,
    progress: Progress | None = None,
    register: bool = True,
    seed: int = 0,
) -> Taught:
    """Learn from `data` (as `read_labelled` takes it) and a station's kept `examples`, beside the active parcel model.

    A candidate that is not worse is registered, state candidate. Raises LabelsError, TooFewError, ModelError,
    EngineError; then nothing was registered, and what the network has seen is kept in `cache`.
    """
    active = of_kind(registry.active("parcel"), ParcelCard)
    base = of_kind(registry.get(active.card.adapted.base), ParcelCard) if active.card.adapted else active
    shelf = Shelf(cache, base)
    photos = [*(read_labelled(data).photos if data else ())]
    if examples:
        photos += read_kept(examples).photos
    learnt = lessons(photos, shelf, progress)
    if not len(learnt.names):
        raise LabelsError(_nothing(photos, learnt))
    adapted = adapt(
        learnt,
        rival(base, learnt),
        [] if active is base else [rival(active, learnt)],
        costs=wish.costs,
        asked=wish.asked,
        seed=seed,
    )
    recalled = shelf.recalled
    frames = golden(base, adapted, shelf)
    if adapted.way == "unusual":
        adapted = replace(adapted, comparison=_beside_golden(adapted, frames.passed))
    elif frames.passed:
        adapted = replace(adapted, comparison=_with_golden(adapted.comparison, frames.passed))
    ref = f"{base.card.name}/{wish.version}"
    folder = None
    if register and not adapted.comparison.worse:
        files, card = candidate(base, adapted, learnt, frames, version=wish.version, created=wish.created)
        folder = registry.add(files, card, f"adapted from {adapted.comparison.against}").folder
    return Taught(ref, f"{base.card.name}/{base.card.version}", learnt, adapted, folder, recalled)


def rival(model: Model[ParcelCard], learnt: Lessons) -> Rival:
    """The model with its head, and which of the photos it has not learnt from."""
    card = model.card
    known = set(card.adapted.pictures) if card.adapted else set()
    fair = np.array([picture not in known for picture in learnt.pictures], bool)
    return Rival(f"{card.name}/{card.version}", DamageHead.read(model.folder / card.head.file), card, fair)


def _beside_golden(adapted: Adapted, passed: tuple[str, ...]) -> Comparison:
    """Without a damaged photo of this bench, the base's own examples of damage are all there is to ask."""
    here, there = (adapted.figures[who]["intact"] for who in ("adapted", adapted.comparison.against))
    text = (
        f"Of {here['photos']} intact photos, held out by group, it stops {here['fail']} and is unsure of "
        f"{here['unsure']}; {adapted.comparison.against} stops {there['fail']} and is unsure of {there['unsure']}. No "
        "damaged photo was there, so whether it catches more damage is not known."
    )
    if passed:
        text += f" It lets pass what {adapted.comparison.against} knows as damaged: {', '.join(passed)}."
    return Comparison(against=adapted.comparison.against, worse=bool(passed), text=text)


def _with_golden(comparison: Comparison, passed: tuple[str, ...]) -> Comparison:
    """Better on this bench's photos, and blind to what the base knows: not to be trusted with what it has not met."""
    text = f"{comparison.text} It lets pass what {comparison.against} knows as damaged: {', '.join(passed)}."
    return Comparison(against=comparison.against, worse=True, text=text)


def _nothing(photos: list[Labelled], learnt: Lessons) -> str:
    some = "; ".join(f"{name}: {reason}" for name, reason in learnt.left_out[:5])
    return (
        f"none of {len(photos)} photos can be learnt from ({some})" if photos else "there are no photos to learn from"
    )
