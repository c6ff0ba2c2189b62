"""When to take the picture: a parcel came in, came to rest, and is in focus."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from inspector.frame import Pixels
from station.camera import Shot

WIDTH = 160
"""Pixels across the small grey picture on which motion and presence are measured."""
MOVED = 14
"""Grey levels by which a pixel must change between two pictures to count as moving; camera noise stays below."""
DIFFERENT = 24
"""Grey levels by which a pixel must differ from the empty bench to count as covered."""


class Scene(StrEnum):
    """What happens under the camera."""

    EMPTY = "empty"
    ENTERING = "entering"
    SETTLED = "settled"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Rules:
    """When a scene counts as what. Fractions are of the picture's pixels.

    still: moving pixels at most. covered: pixels unlike the empty bench at least. settle: still pictures in a row.
    leave: still and empty pictures in a row. sharp: share of the recent best sharpness that is good enough.
    patience: settled pictures after which the sharpest is taken even if the best before was sharper.
    """

    still: float = 0.006
    covered: float = 0.03
    settle: int = 5
    leave: int = 3
    sharp: float = 0.7
    patience: int = 15


@dataclass(frozen=True, slots=True)
class Look:
    """What was measured on one picture. motion and presence: fractions 0..1. sharpness: variance of the Laplacian."""

    seq: int
    motion: float
    presence: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Watch:
    """All that the trigger remembers between two pictures.

    run: still pictures in a row. candidates: (seq, sharpness) of the latest settled pictures. recent_best: the
    sharpness that this camera reached lately. must_move: after a bad picture, something has to change first.
    """

    scene: Scene = Scene.EMPTY
    run: int = 0
    candidates: tuple[tuple[int, float], ...] = ()
    recent_best: float = 0.0
    settled_for: int = 0
    must_move: bool = False

    @property
    def best(self) -> int | None:
        """The seq of the sharpest settled picture."""
        return max(self.candidates, key=lambda c: c[1])[0] if self.candidates else None

    def ready(self, rules: Rules) -> bool:
        """True when the best settled picture is worth taking."""
        if self.scene is not Scene.SETTLED or not self.candidates:
            return False
        sharpest = max(sharpness for _, sharpness in self.candidates)
        return sharpest >= rules.sharp * self.recent_best or self.settled_for >= rules.patience


def step(watch: Watch, look: Look, rules: Rules = Rules()) -> Watch:
    """One picture later."""
    still = look.motion <= rules.still
    run = watch.run + 1 if still else 0
    watch = replace(watch, run=run, must_move=watch.must_move and still)
    if look.presence < rules.covered:
        gone = still and run >= rules.leave
        return _empty(watch) if gone and watch.scene is not Scene.EMPTY else watch
    match watch.scene:
        case Scene.EMPTY:
            return replace(watch, scene=Scene.ENTERING, run=0)
        case Scene.TAKEN:
            return watch
        case Scene.ENTERING | Scene.SETTLED:
            if not still or watch.must_move:
                return replace(watch, scene=Scene.ENTERING, candidates=(), settled_for=0)
            return _rest(watch, look, rules)


def _rest(watch: Watch, look: Look, rules: Rules) -> Watch:
    """A still picture of something: one more candidate."""
    settled = watch.run >= rules.settle
    return replace(
        watch,
        scene=Scene.SETTLED if settled else Scene.ENTERING,
        candidates=(*watch.candidates, (look.seq, look.sharpness))[-rules.settle :],
        settled_for=watch.settled_for + 1 if settled else 0,
        recent_best=max(look.sharpness, watch.recent_best * 0.998),
    )


def take(watch: Watch) -> Watch:
    """The best picture was taken: nothing more until the bench was empty."""
    return replace(watch, scene=Scene.TAKEN, candidates=(), settled_for=0, must_move=False)


def rearm(watch: Watch) -> Watch:
    """The picture was no good: take another one as soon as something moved and came to rest again."""
    return replace(watch, scene=Scene.ENTERING, run=0, candidates=(), settled_for=0, must_move=True)


def cut(watch: Watch) -> Watch:
    """The source jumped to another picture by itself: whatever is there came in just now."""
    return Watch(scene=Scene.ENTERING)


def _empty(watch: Watch) -> Watch:
    return replace(watch, scene=Scene.EMPTY, candidates=(), settled_for=0, must_move=False)


Grey = npt.NDArray[np.float32]


def small_grey(bgr: Pixels) -> Grey:
    """uint8 (h, w, 3) -> float32 (h * 160 / w, 160), lightly blurred so that camera noise does not count as motion."""
    height = max(1, round(bgr.shape[0] * WIDTH / bgr.shape[1]))
    small = cv2.resize(bgr, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (5, 5), 0), np.float32)


def sharpness(bgr: Pixels) -> float:
    """Variance of the Laplacian at 640 pixels width (Pech-Pacheco et al., 2000)."""
    height = max(1, round(bgr.shape[0] * 640 / bgr.shape[1]))
    grey = cv2.cvtColor(cv2.resize(bgr, (640, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def changed(now: Grey, before: Grey, levels: float) -> float:
    """Share 0..1 of pixels that differ by more than `levels`, after taking out a change of the light as a whole."""
    difference = now - before
    difference -= np.median(difference)
    return float(np.mean(np.abs(difference) > levels))


class Trigger:
    """The trigger on a stream of shots: measures each one, steps the machine, keeps the candidates.

    The first picture of a camera is taken for the empty bench; if it was not, `learn_empty` puts it right as soon as
    the eye has found no parcel. The reference follows slow changes of light while the bench is empty.
    """

    def __init__(self, rules: Rules = Rules()) -> None:
        self.rules = rules
        self.watch = Watch()
        self._scene: int | None = None
        self._before: Grey | None = None
        self._bench: Grey | None = None
        self._kept: dict[int, Shot] = {}

    def see(self, shot: Shot, *, cuts: bool = False) -> Scene:
        """Take one more shot into account. cuts: the source shows stills, a new scene is a new parcel."""
        grey = small_grey(shot.bgr)
        if self._before is None or self._before.shape != grey.shape or self._bench is None:
            self._before = self._bench = grey
        if shot.scene != self._scene:
            self._scene = shot.scene
            self._before = grey
            if cuts:
                self.watch = cut(self.watch)
        motion = changed(grey, self._before, MOVED)
        presence = 1.0 if cuts else changed(grey, self._bench, DIFFERENT)
        self._before = grey
        self.watch = step(self.watch, Look(shot.seq, motion, presence, sharpness(shot.bgr)), self.rules)
        self._kept[shot.seq] = shot
        wanted = {seq for seq, _ in self.watch.candidates}
        self._kept = {seq: kept for seq, kept in self._kept.items() if seq in wanted}
        if self.watch.scene is Scene.EMPTY and motion <= self.rules.still:
            self._bench = 0.95 * self._bench + 0.05 * grey
        return self.watch.scene

    @property
    def ready(self) -> bool:
        """True when there is a settled and sharp picture to take."""
        return self.watch.ready(self.rules)

    def take(self) -> Shot | None:
        """The sharpest settled shot, None when there is none."""
        best = self.watch.best
        shot = self._kept.get(best) if best is not None and self.ready else None
        if shot is not None:
            self.taken()
        return shot

    def taken(self) -> None:
        """A picture was taken, by the trigger or by hand."""
        self.watch = take(self.watch)
        self._kept.clear()

    def rearm(self) -> None:
        """The picture taken was no good."""
        self.watch = rearm(self.watch)
        self._kept.clear()

    def learn_empty(self) -> None:
        """What is there now is the empty bench."""
        if self._before is not None:
            self._bench = self._before
        self.watch = _empty(self.watch)
        self._kept.clear()
