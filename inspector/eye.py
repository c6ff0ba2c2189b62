"""The Inspector: pictures of one parcel and its packing spec in, one verdict out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

import models
from inspector.annotate import LACKING
from inspector.contents import check_contents
from inspector.frame import Frame, Pixels
from inspector.gallery import Gallery, GalleryError
from inspector.golden import judge_golden
from inspector.head import DamageHead
from inspector.integrity import check_integrity
from inspector.label import check_label, read_codes
from inspector.markreader import MarkReader
from inspector.marks import check_marks, no_marks_looked_for
from inspector.quality import QualityLimits, frame_quality, quality
from inspector.runtime import Engine, EngineName, open_engine
from inspector.spec import Check, PackingSpec, Stage
from inspector.verdict import CheckResult, CodeSeen, MarkSeen, ModelRef, Parcel, Verdict, combine, skipped
from inspector.view import Looker, View
from models.cards import MarksCard

Active = Callable[[str], models.Model[models.Card]]


@dataclass(frozen=True, slots=True)
class InspectorSettings:
    """How the eye runs here. engine: what runs the networks. threads: of one inference. providers: of ONNX Runtime, in
    order of preference.

    side_view: the cameras see parcels from their side, where an arrow that points down is wrong. What looks down on a
    parcel cannot tell.
    """

    engine: EngineName = "onnxruntime"
    threads: int = 2
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    side_view: bool = False
    quality: QualityLimits = field(default_factory=QualityLimits)


class Inspector:
    """Judges parcels. Pure given its inputs (same pictures, same model, same verdict; only the timings differ).

    Thread-safe: it keeps no state between two calls, and all threads share one ONNX session.
    """

    def __init__(
        self,
        model: models.Model[models.ParcelCard],
        engine: Engine,
        head: DamageHead,
        marks: MarkReader,
        settings: InspectorSettings,
        gallery: Gallery | None = None,
        *,
        close: Engine | None = None,
    ) -> None:
        self._model = model
        self._marks = marks
        self._looker = Looker(engine, close or engine, head, model.card)
        self._settings = settings
        self._gallery = gallery
        self._refs: tuple[ModelRef, ...] = (ModelRef(model.card.name, model.card.version, model.sha256), marks.ref)
        if gallery is not None:
            self._refs += (ModelRef("embedder", gallery.embedder.version, gallery.embedder.sha256),)

    @classmethod
    def load(
        cls,
        settings: InspectorSettings | None = None,
        model: models.Model[models.ParcelCard] | None = None,
        *,
        active: Active = models.load,
        gallery: Gallery | None = None,
    ) -> Inspector:
        """The active model, verified, warmed up and found to judge its golden frames as its card tells.

        active: the model in use by its name, as `models.registry.Registry.active` tells it; what ships by default.
        model: stands in for the active one. gallery: the taught items, opened with the embedder that compares them;
        without it no contents are judged. Raises models.ModelError, EngineError or GoldenError: an eye that cannot
        be trusted does not open.
        """
        parcel = model or models.of_kind(active("parcel"), models.ParcelCard)
        inspector = cls.open(parcel, settings, gallery, models.of_kind(active("marks"), MarksCard))
        inspector.golden()
        return inspector

    @classmethod
    def open(
        cls,
        model: models.Model[models.ParcelCard],
        settings: InspectorSettings | None = None,
        gallery: Gallery | None = None,
        marks: models.Model[MarksCard] | None = None,
    ) -> Inspector:
        """An inspector on this model, warmed up, whose golden frames nobody has asked for yet.

        marks: reads the handling marks; what ships when it is None. Raises models.ModelError, EngineError.
        """
        settings = settings or InspectorSettings()
        name, threads, providers = settings.engine, settings.threads, settings.providers
        card = model.card

        def warm(file: str) -> Engine:
            side = card.input.side
            engine = open_engine(name, model.folder / file, side=side, threads=threads, providers=providers)
            engine.warm_up()
            return engine

        far, close = warm(model.onnx.name), warm(card.close.file) if card.close else None
        reader = MarkReader.open(marks or models.load("marks"), threads, providers)
        return cls(model, far, DamageHead.read(model.folder / card.head.file), reader, settings, gallery, close=close)

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Which weights speak."""
        return self._refs

    @property
    def marks_judged(self) -> frozenset[str]:
        """The marks that can be told to be there or missing; for the others a person is asked."""
        told = self._marks.thresholds.items()
        return frozenset(mark for mark, threshold in told if isinstance(threshold, models.MarkThreshold))

    def golden(self) -> None:
        """Judge the golden frames again; raises GoldenError when an answer has changed."""
        judge_golden(self._model, self.inspect)

    def shown(self, verdict: Verdict) -> dict[str, Pixels]:
        """A picture of each item that is not surely in the box, by item, on white: what the packer shall look for."""
        lacking = [item.item for item in verdict.checks[Check.CONTENTS].items if item.result in LACKING]
        if self._gallery is None or not lacking:
            return {}
        try:
            taught = self._gallery.items(lacking)
        except GalleryError:  # the check has said so; a picture is only a help
            return {}
        first = {name: next((r for r in item.references if not r.counter), None) for name, item in taught.items()}
        return {name: np.where(r.mask[..., None], r.bgr, np.uint8(255)) for name, r in first.items() if r is not None}

    def look(self, frame: Frame) -> View:
        """What the network sees in a picture before any check is made: all down to the card's lowest thresholds."""
        return self._looker.view(frame, 0)

    def inspect(
        self, frames: Sequence[Frame], spec: PackingSpec = PackingSpec(), weight_g: float | None = None
    ) -> Verdict:
        """Judge all pictures of one parcel together: those of the open box and those of the sealed parcel.

        A check for whose stage there is no picture is skipped, and holds the parcel if the spec requires it.
        weight_g: what the filled box weighs, in grams, where the bench has a scale. Raises ValueError when there is no
        picture at all.
        """
        if not frames:
            raise ValueError("no picture to judge; take at least one of the sealed parcel")
        card = self._model.card
        started = time.perf_counter()
        views, marks, codes = self._seen(frames, spec.tracking_number)
        looked = time.perf_counter()
        faults = [
            fault for view in views for fault in quality(view, card.thresholds.parcel.found, self._settings.quality)
        ]
        for index, frame in enumerate(frames):
            if frame.stage is Stage.OPEN:
                faults += frame_quality(frame, index, self._settings.quality)
        checks = (
            check_integrity(views, card),
            self._contents(frames, spec, weight_g),
            self._check_marks(views, marks, spec),
            check_label(views, codes, spec, card),
        )
        decision, reasons = combine(checks, spec, faults)
        return Verdict(
            decision=decision,
            reasons=reasons,
            checks={result.check: result for result in checks},
            parcels=tuple(parcel for view in views for parcel in _main_first(view.main, view.parcels)),
            models=self._refs,
            quality=tuple(faults),
            weight_g=weight_g,
            timings_ms={"infer": 1e3 * (looked - started), "total": 1e3 * (time.perf_counter() - started)},
        )

    def _seen(
        self, frames: Sequence[Frame], tracking_number: str | None
    ) -> tuple[list[View], list[MarkSeen], list[CodeSeen]]:
        """Every picture of the sealed parcel, everything that may be a mark on the judged one, and its barcodes where
        there is a number to look for.

        Marks and codes are read beside the second look, which needs the same box: what each leaves idle of two cores
        the other takes.
        """
        with ThreadPoolExecutor(2, "beside") as beside:
            views, marks, codes = [], [], []
            for index, frame in enumerate(frames):
                if frame.stage is not Stage.SEALED:
                    continue
                far = self._looker.far(frame, index)
                marks.append(beside.submit(self._marks.marks, frame.bgr, far.region, index))
                if tracking_number is not None:
                    codes.append(beside.submit(read_codes, far, tracking_number))
                views.append(self._looker.closer(far))
            return views, [m for one in marks for m in one.result()], [c for one in codes for c in one.result()]

    def _check_marks(self, views: Sequence[View], found: Sequence[MarkSeen], spec: PackingSpec) -> CheckResult:
        if not views:
            return no_marks_looked_for(spec)
        return check_marks(found, spec, self._marks.thresholds, upright=self._settings.side_view)

    def _contents(self, frames: Sequence[Frame], spec: PackingSpec, weight_g: float | None) -> CheckResult:
        """The contents check with the taught items that this order expects, and all others for what it does not."""
        opened = [index for index, frame in enumerate(frames) if frame.stage is Stage.OPEN]
        items, embedder, shop = {}, None, self._gallery if opened and spec.items else None
        try:
            if shop is not None:
                items = shop.items(line.item for line in spec.items)
                embedder = shop.embedder
            result = check_contents([frames[index] for index in opened], spec, items, embedder, weight_g, shop)
        except GalleryError as error:  # the other checks can be made all the same
            return skipped(Check.CONTENTS, f"the taught items cannot be read: {error}")
        return replace(
            result,  # it counts the pictures that it was given
            findings=tuple(replace(f, frame=opened[f.frame] if f.box else f.frame) for f in result.findings),
            items=tuple(replace(i, frame=opened[i.frame] if i.boxes else i.frame) for i in result.items),
        )


def _main_first(main: Parcel | None, parcels: Sequence[Parcel]) -> list[Parcel]:
    """The parcel that was judged, then the others in the picture."""
    return [] if main is None else [main, *(parcel for parcel in parcels if parcel.box != main.box)]
