"""Which model is in use here: the models of a site with their states, and the way back.

A site's models live in one folder (LASTLOOK_MODELS, else `models` in LASTLOOK_DATA): <name>/<version>/ as in the
package, and registry.json, which tells each one's state and everything that was done. Models that ship with Lastlook
are never written to. No network is run here: who validates hands in how the golden frames are judged.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import models
from models import Card, Model, ModelError, ParcelCard
from models.book import Book, Entry, Event, RegistryError, State, read_book, write_json, writing

__all__ = ["Event", "Listed", "Registry", "RegistryError", "State", "site_folder", "site_in", "utc_now"]

VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A model that is known here. problem: why it cannot be used, None when its files are what its card tells."""

    name: str
    version: str
    state: State
    shipped: bool
    folder: Path
    problem: str | None

    @property
    def ref(self) -> str:
        """name/version."""
        return f"{self.name}/{self.version}"


def utc_now() -> datetime:
    """The clock on the wall, in UTC."""
    return datetime.now(UTC)


def site_folder(named: Path | None, data: Path) -> Path:
    """The folder of a site's models: the named one, else `models` in the folder of all data, which need not be there.

    Raises RegistryError when a folder is named that is not there: going on with another model in silence is worse.
    """
    if named is not None and not named.is_dir():
        raise RegistryError(f"the folder of models {named} (LASTLOOK_MODELS) is not there; make it, or mount its disk")
    return named or data / "models"


def site_in(environment: Mapping[str, str]) -> Path:
    """`site_folder` as the environment tells it: LASTLOOK_MODELS, LASTLOOK_DATA. Raises RegistryError, also when
    LASTLOOK_DATA names a folder that is not there: what ships would judge in the place of the site's model.
    """
    named, data = environment.get("LASTLOOK_MODELS"), environment.get("LASTLOOK_DATA")
    if data and not named and not Path(data).is_dir():
        raise RegistryError(
            f"the folder {Path(data).absolute()} (LASTLOOK_DATA) is not there; make it, or mount its disk"
        )
    return site_folder(Path(named) if named else None, Path(data or "lastlook-data"))


def unkept_promise(card: Card) -> str | None:
    """Why a model that a bench taught itself does not keep what was asked of it; None where it does, or nothing was."""
    if not isinstance(card, ParcelCard) or card.adapted is None:
        return None
    promise = (card.thresholds.integrity.model_extra or {}).get("promise")
    if not isinstance(promise, dict) or promise.get("kept", True):
        return None
    return f"at most {promise['asked']:.1%} of damaged parcels passed, but {promise['why']}"


class Registry:
    """The models that ship and those of one site. Keeps nothing in memory; many processes may use one folder.

    site: folder of the site's models, made when the first is added. who: stands in the history. shipped: folder of the
    models that ship; defaults: their active versions.
    """

    def __init__(
        self,
        site: Path,
        *,
        who: str = "",
        clock: Callable[[], datetime] = utc_now,
        shipped: Path = models.HERE,
        defaults: Mapping[str, str] = models.ACTIVE,
    ) -> None:
        self.site = site
        self._who = who
        self._clock = clock
        self._shipped = shipped
        self._defaults = defaults

    def active(self, name: str) -> Model[Card]:
        """The verified model in use. Raises ModelError; where it is a site's, it tells the way back."""
        book = read_book(self.site)
        version = book.held(name, State.ACTIVE)
        try:
            return self._verified(book, name, version or self._defaults.get(name, "none"))
        except ModelError as error:
            if version is None:
                raise
            raise ModelError(
                f"{name}/{version} is the active model here and cannot be used: {error}. Nothing is judged by another "
                f"model in its place. `lastlook models rollback {name}` goes back to {self._before(book, name)}"
            ) from error

    def active_ref(self, name: str) -> str | None:
        """name/version of the model in use, verified or not; None where there is none. Raises RegistryError."""
        version = read_book(self.site).held(name, State.ACTIVE) or self._defaults.get(name)
        return version and f"{name}/{version}"

    def shadows(self) -> list[str]:
        """name/version of each model that judges beside the active one, at most one a name. Raises RegistryError."""
        return [ref for ref, entry in read_book(self.site).models.items() if entry.state is State.SHADOW]

    def standing_in(self, ref: str) -> Callable[[str], Model[Card]]:
        """As `active`, but with this model (name/version) in the place of the active one of its name."""
        return lambda name: self.get(ref) if name == ref.split("/", maxsplit=1)[0] else self.active(name)

    def get(self, ref: str) -> Model[Card]:
        """A verified model by name/version, or the active one by name. Raises ModelError."""
        name, _, version = ref.partition("/")
        return self._verified(read_book(self.site), name, version) if version else self.active(name)

    def state(self, ref: str) -> State:
        """The state of name/version. Raises RegistryError when it is not known here."""
        return self._state(read_book(self.site), ref)

    def listed(self) -> list[Listed]:
        """Every model that is known here, by name, what ships first."""
        book = read_book(self.site)
        shipped = {f"{card.parent.parent.name}/{card.parent.name}" for card in self._shipped.glob("*/*/card.json")}
        refs = [
            *sorted(shipped),
            *sorted(ref for ref, entry in book.models.items() if ref not in shipped and entry.card),
        ]
        return [self._listed(book, ref) for ref in sorted(refs, key=lambda ref: ref.split("/")[0])]

    def history(self, ref: str | None = None) -> list[Event]:
        """What was done, oldest first; with one model, or all models of one name."""
        events = read_book(self.site).history
        return [e for e in events if ref is None or ref in (e.model, e.model.split("/")[0])]

    def add(
        self, files: Path | Mapping[str, Path | bytes], card: Mapping[str, Any] | None = None, why: str = ""
    ) -> Model[Card]:
        """Take in a model as a candidate: a folder that has a card.json, or files by their paths in the model's folder
        and what its card.json shall tell (their digests are added). They are copied; the same model again changes
        nothing. Raises ModelError when it is not a whole model, RegistryError when its version is taken.
        """
        self.site.mkdir(parents=True, exist_ok=True)
        with writing(self.site) as book, tempfile.TemporaryDirectory(prefix=".adding-", dir=self.site) as made:
            beside = Path(made) / "model"
            if isinstance(files, Path):
                _copy(models.read(files), beside)
            else:
                _lay_out(files, card or {}, beside)
            model = models.read(beside)
            name, version = model.card.name, model.card.version
            ref = f"{name}/{version}"
            if not VERSION.fullmatch(version):
                raise RegistryError(f"{version!r} cannot be a version; use letters, digits and . + _ -, 64 at most")
            known = book.models.get(ref)
            if known and known.card == model.sha256:
                return self._verified(book, name, version)
            if (known and known.card) or (self._shipped / name / version).exists():
                raise RegistryError(f"there is another {ref} here already; give this one a version of its own")
            target = self.site / name / version
            target.parent.mkdir(exist_ok=True)
            if target.exists():
                if not isinstance(files, Path) or files.resolve() != target.resolve():
                    raise RegistryError(f"{target} is there and was never added; add that folder, or move it away")
            else:
                beside.rename(target)
            book.models[ref] = Entry(state=State.CANDIDATE, card=model.sha256)
            self._note(book, ref, None, State.CANDIDATE, why or "added")
        return Model(target, model.card, model.sha256)

    def validate(self, ref: str, golden: Callable[[Model[Card]], None], why: str = "") -> Model[Card]:
        """Candidate -> validated: its files are what its card tells, its comparison did not find it worse, and
        `golden`, which raises otherwise, found that it judges its golden frames as told. Later states are left as they
        are, and proven again. Raises ModelError, and what `golden` raises.
        """
        model = self.get(ref)
        candidate = self.state(ref) is State.CANDIDATE
        if candidate:
            compared = model.card.comparison
            if compared is None:
                raise RegistryError(
                    f"{ref} was never compared with the model in use, so nobody knows whether it is worse; "
                    "`lastlook adapt` compares what it makes"
                )
            if compared.worse:
                raise RegistryError(f"{ref} does worse than {compared.against} and stays a candidate: {compared.text}")
        golden(model)
        if candidate:
            with writing(self.site) as book:
                if self._state(book, ref) is State.CANDIDATE:
                    self._move(book, ref, State.VALIDATED, why or "files, golden frames and comparison are good")
        return model

    def activate(self, ref: str, why: str = "", *, unkept: bool = False) -> Model[Card]:
        """From now on this model is the one in use; what was active is retired. Raises ModelError: one that was never
        validated is not activated.

        unkept: also one that a bench taught itself with too few photos to promise what was asked of it.
        """
        with writing(self.site) as book:
            name, _, version = ref.partition("/")
            state = self._state(book, ref)
            model = self._verified(book, name, version)
            if state is State.CANDIDATE:
                raise RegistryError(f"{ref} was not validated; `lastlook models verify {ref}` does it")
            if state is State.ACTIVE:
                return model
            if not unkept and (broken := unkept_promise(model.card)):
                raise RegistryError(
                    f"{ref} was asked for a promise that its photos cannot keep: {broken}. Nothing was changed. Teach "
                    f"it more photos, or use it all the same: `lastlook models activate {ref} --without-promise`"
                )
            self._succeed(book, name, version, why or "activated")
            return model

    def rollback(self, name: str, why: str = "") -> Model[Card]:
        """The model that was active before is in use again; those before that are broken are passed over, down to what
        ships. Raises RegistryError when nothing was active before.
        """
        with writing(self.site) as book:
            earlier = book.earlier.get(name, [])
            if book.held(name, State.ACTIVE) is None or not earlier:
                raise RegistryError(f"no other {name} model was active here before; `lastlook models list` shows all")
            passed = []
            while earlier:
                version = earlier.pop()
                try:
                    model = self._verified(book, name, version or self._defaults.get(name, "none"))
                except ModelError as error:
                    passed.append(f"{name}/{version}: {error}")
                    continue
                text = "; ".join([why or "rolled back", *(f"passed over {told}" for told in passed)])
                self._succeed(book, name, model.card.version, text, shipped=version is None, back=True)
                return model
            raise RegistryError(f"no model to go back to can be used: {'; '.join(passed)}")

    def start_shadow(self, ref: str, why: str = "") -> Model[Card]:
        """A validated model judges beside the active one; the shadow before it, if any, is validated again.

        Raises ModelError: only a validated or retired model may.
        """
        with writing(self.site) as book:
            name, _, version = ref.partition("/")
            state = self._state(book, ref)
            model = self._verified(book, name, version)
            if state is State.SHADOW:
                return model
            if state is State.ACTIVE:
                raise RegistryError(f"{ref} is the active model; a shadow is another one")
            if state is State.CANDIDATE:
                raise RegistryError(f"{ref} was not validated; `lastlook models verify {ref}` does it")
            if other := book.held(name, State.SHADOW):
                self._move(book, f"{name}/{other}", State.VALIDATED, f"{ref} is the shadow now")
            self._move(book, ref, State.SHADOW, why or "judges beside the active model")
            return model

    def stop_shadow(self, name: str, why: str = "") -> str:
        """The shadow of this name is validated again; returns its name/version. Raises RegistryError without one."""
        with writing(self.site) as book:
            version = book.held(name, State.SHADOW)
            if version is None:
                raise RegistryError(f"there is no shadow of {name}")
            self._move(book, f"{name}/{version}", State.VALIDATED, why or "no longer a shadow")
            return f"{name}/{version}"

    # -- inside ----------------------------------------------------------------------------------------------------

    def _succeed(
        self, book: Book, name: str, version: str, why: str, *, shipped: bool = False, back: bool = False
    ) -> None:
        """Retire what is active and make this version active. shipped: by default, whatever ships from now on."""
        now = book.held(name, State.ACTIVE)
        if not back:
            book.earlier.setdefault(name, []).append(now)
        old = f"{name}/{now or self._defaults.get(name)}"
        if now or self._ships(old):
            self._move(book, old, State.RETIRED, f"{name}/{version} takes its place")
        self._move(book, f"{name}/{version}", State.ACTIVE, why)
        if shipped:
            del book.models[f"{name}/{version}"]

    def _move(self, book: Book, ref: str, state: State, why: str) -> None:
        entry = book.models.get(ref)
        before, card = (entry.state, entry.card) if entry else (self._state(book, ref), None)
        book.models[ref] = Entry(state=state, card=card)
        self._note(book, ref, before, state, why)

    def _note(self, book: Book, ref: str, before: State | None, after: State, why: str) -> None:
        event = Event(at=self._clock(), who=self._who, model=ref, before=before, after=after, why=why)
        book.history.append(event)

    def _state(self, book: Book, ref: str) -> State:
        """A shipped model nobody touched is validated (it was, before it was released), or active by default."""
        if ref in book.models and (book.models[ref].card or self._ships(ref)):
            return book.models[ref].state
        name, _, version = ref.partition("/")
        if not self._ships(ref):
            stray = self.site / name / version / "card.json"
            added = f"`lastlook models add {stray.parent}` takes it in" if version and stray.exists() else ""
            raise RegistryError(f"there is no model {ref} here; {added or '`lastlook models list` shows all'}")
        by_default = self._defaults.get(name) == version and book.held(name, State.ACTIVE) is None
        return State.ACTIVE if by_default else State.VALIDATED

    def _ships(self, ref: str) -> bool:
        return (self._shipped / ref / "card.json").is_file()

    def _verified(self, book: Book, name: str, version: str) -> Model[Card]:
        """The model with every file as its card tells, and the card as it was when it was added."""
        ref = f"{name}/{version}"
        entry = book.models.get(ref)
        if entry is None or entry.card is None:
            self._state(book, ref)
            return models.load(name, version, self._shipped)
        model = models.load(name, version, self.site)
        if model.sha256 != entry.card:
            raise ModelError(
                f"the card of {ref} is not the one that was added; restore {model.folder}, or give the changed model a "
                "version of its own and add it"
            )
        return model

    def _listed(self, book: Book, ref: str) -> Listed:
        name, _, version = ref.partition("/")
        entry = book.models.get(ref)
        shipped = entry is None or entry.card is None
        problem = None
        try:
            self._verified(book, name, version)
        except ModelError as error:
            problem = str(error)
        folder = (self._shipped if shipped else self.site) / name / version
        return Listed(name, version, self._state(book, ref), shipped, folder, problem)

    def _before(self, book: Book, name: str) -> str:
        version = next(iter(book.earlier.get(name, [])[-1:]), None)
        return f"{name}/{version or self._defaults.get(name)}"


def _copy(model: Model[Card], target: Path) -> None:
    """The files its card tells of, with the cards: nothing else that lies in that folder."""
    for file in ("card.json", "CARD.md", *model.card.files):
        if (model.folder / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(model.folder / file, target / file)


def _lay_out(files: Mapping[str, Path | bytes], card: Mapping[str, Any], target: Path) -> None:
    """A model's folder from its files and its card; the card gets their digests."""
    for file, content in files.items():
        path = target / file
        if not path.resolve().is_relative_to(target.resolve()):
            raise RegistryError(f"{file!r} is no path inside a model's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    told = {file: sha256((target / file).read_bytes()).hexdigest() for file in sorted(files) if file != "CARD.md"}
    write_json(target / "card.json", {**card, "files": told})
