"""What a site's models have been through: registry.json, changed by one process at a time, never half written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models import ModelError, in_words

BOOK = "registry.json"


class State(StrEnum):
    """How far a model has come: candidate -> validated -> shadow -> active -> retired.

    candidate: put here, nothing known. validated: its files, its golden frames and its comparison were found good.
    shadow: judges beside the active one and is never shown. active: judges. retired: was active.
    """

    CANDIDATE = "candidate"
    VALIDATED = "validated"
    SHADOW = "shadow"
    ACTIVE = "active"
    RETIRED = "retired"


class RegistryError(ModelError):
    """What was asked cannot be done with this model. str() says why and what to do; nothing was changed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Event(_Part):
    """One change of state. model: name/version. before: None when the model was new here."""

    at: datetime
    who: str
    model: str
    before: State | None
    after: State
    why: str


class Entry(_Part):
    """A model's state here. card: sha256 of its card.json when it was added; None for one that ships."""

    state: State
    card: str | None = None


class Book(_Part):
    """registry.json. models: by name/version. earlier: by name, the versions that were active before the one that is
    now, newest last; None is "what ships".
    """

    format: Literal[1] = 1
    models: dict[str, Entry] = Field(default_factory=dict)
    earlier: dict[str, list[str | None]] = Field(default_factory=dict)
    history: list[Event] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for single in (State.ACTIVE, State.SHADOW):
            names = [ref.split("/")[0] for ref, entry in self.models.items() if entry.state is single]
            if len(names) > len(set(names)):
                raise ValueError(f"two models of one name are {single}")
        return self

    def held(self, name: str, state: State) -> str | None:
        """The version of this name that has the state; for states that one model has at most."""
        found = (ref for ref, entry in self.models.items() if ref.split("/")[0] == name and entry.state is state)
        return next((ref.split("/")[1] for ref in found), None)


def read_book(site: Path) -> Book:
    """The book of a site's folder, an empty one where there is none yet. Raises RegistryError for one past reading."""
    path = site / BOOK
    try:
        return Book.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Book()
    except (OSError, ValidationError) as error:
        raise RegistryError(
            f"{path} cannot be read: {in_words(error)}. Restore the file, or move it away to begin anew with the "
            "models that ship (a site's models stay in their folders and can be added again)"
        ) from error


@contextmanager
def writing(site: Path) -> Iterator[Book]:
    """The book to change; written when the block ends well. Raises RegistryError when the folder cannot be written."""
    try:
        site.mkdir(parents=True, exist_ok=True)
        with (site / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            book = read_book(site)
            before = book.model_dump_json()
            yield book
            if book.model_dump_json() != before:
                write_json(site / BOOK, book.model_dump(mode="json"))
    except OSError as error:
        raise RegistryError(f"{site} cannot be written: {error}; nothing was changed") from error


def write_json(path: Path, told: Mapping[str, Any]) -> None:
    """The whole file or the old one, also when the power goes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
