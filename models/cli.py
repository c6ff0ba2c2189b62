"""`lastlook models`: which model judges here, which could, and the way back."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from models import Card, Model
    from models.registry import Listed, Registry
    from models.shadows import Agreement, ShadowTally

P = ParamSpec("P")
R = TypeVar("R")

_why = click.option("--reason", "why", default="", help="Stands in the history.")
_as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")
_ref = click.argument("ref", metavar="NAME/VERSION")
JUDGES = ("parcel", "marks")
"""What an inspector judges with; the embedder only describes the items that a gallery was taught."""
GOLDEN = "golden/golden.json"
NEXT_START = "Stations and servers take it up when they are started next."


@click.group("models")
@click.option(
    "--models",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of this site's models.  [LASTLOOK_MODELS, else `models` in LASTLOOK_DATA]",
)
@click.pass_context
def commands(context: click.Context, folder: Path | None) -> None:
    """See and choose the models that judge here. A model is named NAME/VERSION: parcel/0.1.0."""
    context.obj = folder


def _told(command: Callable[P, R]) -> Callable[P, R]:
    """What keeps a model from being used is told in a line, not as a traceback."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        from inspector import EngineError, GoldenError
        from models import ModelError

        try:
            return command(*args, **kwargs)
        except (ModelError, EngineError, GoldenError) as error:
            raise click.ClickException(str(error)) from error

    return told


def _registry(folder: Path | None) -> Registry:
    import getpass

    from models.registry import Registry, site_in

    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        who = str(os.getuid())
    return Registry(folder or site_in(os.environ), who=who)


@commands.command("list")
@_as_json
@click.pass_obj
@_told
def list_models(folder: Path | None, as_json: bool) -> None:  # noqa: FBT001 -- click's way
    """All models that are known here, with their states."""
    registry = _registry(folder)
    listed = registry.listed()
    if as_json:
        _print_json([_listed(model) for model in listed])
        return
    since = {event.model: event.at for event in registry.history()}
    rows = [
        (
            model.ref,
            str(model.state),
            "ships with Lastlook" if model.shipped else "this site",
            f"{since[model.ref]:%Y-%m-%d %H:%M}" if model.ref in since else "",
            "BROKEN" if model.problem else "",
        )
        for model in listed
    ]
    _print_table(("MODEL", "STATE", "FROM", "SINCE (UTC)", ""), rows)
    for model in listed:
        if model.problem:
            click.echo(model.problem, err=True)


@commands.command()
@click.argument("ref", metavar="NAME[/VERSION]")
@_as_json
@click.pass_obj
@_told
def show(folder: Path | None, ref: str, as_json: bool) -> None:  # noqa: FBT001 -- click's way
    """One model: its card, what was done with it, and how it did as a shadow. NAME alone: the active one."""
    from models.shadows import ShadowRecord

    registry = _registry(folder)
    model = registry.get(ref)
    ref = f"{model.card.name}/{model.card.version}"
    state, history = registry.state(ref), registry.history(ref)
    tally = ShadowRecord.of(registry.site, ref).tally()
    if as_json:
        card = json.loads((model.folder / "card.json").read_text("utf-8"))
        _print_json(
            {
                "model": ref,
                "state": state,
                "folder": str(model.folder),
                "sha256": model.sha256,
                "card": card,
                "history": [event.model_dump(mode="json") for event in history],
                "as_shadow": asdict(tally),
            }
        )
        return
    rows = [("state", str(state)), ("folder", str(model.folder)), ("sha256", f"{model.sha256} (of card.json)")]
    if compared := model.card.comparison:
        rows.append((f"beside {compared.against}", f"{'worse' if compared.worse else 'not worse'}: {compared.text}"))
    click.echo(ref)
    _print_table(None, rows)
    if history:
        click.echo("\nHistory (UTC)")
        _print_table(
            None,
            [
                (f"{e.at:%Y-%m-%d %H:%M}", f"{e.before or 'new'} -> {e.after}", f"by {e.who or 'unknown'}", e.why)
                for e in history
            ],
        )
    if lines := list(_shadow_lines(tally)):
        click.echo("\nAs a shadow (never shown to anybody at the bench)")
        for line in lines:
            click.echo(f"  {line}")


@commands.command()
@click.argument("refs", metavar="[NAME/VERSION]...", nargs=-1)
@_why
@_as_json
@click.pass_obj
@_told
def verify(folder: Path | None, refs: tuple[str, ...], why: str, as_json: bool) -> None:  # noqa: FBT001 -- click's way
    """Verify models: files against their cards, golden frames, and of candidates the comparison; all unless named.

    A candidate that is found good is validated. Exit code 1: something is wrong with a model.
    """
    from inspector import EngineError, GoldenError
    from models import ModelError

    registry = _registry(folder)
    results: list[dict[str, Any]] = []
    for ref in refs or [model.ref for model in registry.listed()]:
        try:
            model = registry.validate(ref, prove(registry), why)
            how = "files and golden frames" if GOLDEN in model.card.files else "files"
            results.append({"model": ref, "good": True, "state": registry.state(ref), "text": f"{how} are as told"})
        except (ModelError, EngineError, GoldenError) as error:
            results.append({"model": ref, "good": False, "text": str(error)})
    if as_json:
        _print_json(results)
    else:
        for told in results:
            good, state = ("good", f"{told['state']}: ") if told["good"] else ("NOT GOOD", "")
            click.echo(f"{good:8}  {told['model']}  {state}{told['text']}")
    sys.exit(0 if all(told["good"] for told in results) else 1)


@commands.command()
@click.argument("model_folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_why
@click.pass_obj
@_told
def add(folder: Path | None, model_folder: Path, why: str) -> None:
    """Take in a model from a folder with a card.json, such as one that was adapted on another computer."""
    model = _registry(folder).add(model_folder, why=why or f"added from {model_folder.resolve()}")
    ref = f"{model.card.name}/{model.card.version}"
    click.echo(f"{ref} is a candidate in {model.folder}. Next: lastlook models verify {ref}")


@commands.command()
@_ref
@_why
@click.option(
    "--without-promise", "unkept", is_flag=True, help="Also where too few photos keep the promise asked of `adapt`."
)
@click.pass_obj
@_told
def activate(folder: Path | None, ref: str, why: str, unkept: bool) -> None:  # noqa: FBT001 -- click's way
    """Judge with this model from now on. It must have been validated, and judges its golden frames once more."""
    registry = _registry(folder)
    model = registry.get(ref)
    now = registry.active_ref(model.card.name)
    compared = model.card.comparison
    prove(registry)(model)
    registry.activate(ref, why, unkept=unkept)
    click.echo(f"{ref} is the active model. {NEXT_START}")
    if compared and now and now not in (compared.against, ref):
        click.echo(f"Note: it was compared with {compared.against}, and {now} was active until now.", err=True)
    click.echo(f"The way back: lastlook models rollback {model.card.name}")


@commands.command()
@click.argument("name", default="parcel")
@_why
@click.pass_obj
@_told
def rollback(folder: Path | None, name: str, why: str) -> None:
    """Judge with the model that was active before. NAME: parcel unless given. Needs nothing of the model it leaves."""
    registry = _registry(folder)
    model = registry.rollback(name, why)
    ref = f"{name}/{model.card.version}"
    click.echo(f"{ref} is the active model again. {NEXT_START}")
    prove(registry)(model)


@commands.command()
@click.argument("ref", metavar="NAME[/VERSION]")
@click.option("--stop", is_flag=True, help="It no longer judges beside the active model; its record stays.")
@_why
@click.pass_obj
@_told
def shadow(folder: Path | None, ref: str, stop: bool, why: str) -> None:  # noqa: FBT001 -- click's way
    """Let a validated model judge beside the active one. Nobody is shown what it says.

    `lastlook models show` tells how often it agreed.
    """
    registry = _registry(folder)
    name = ref.partition("/")[0]
    if name not in JUDGES:
        raise click.ClickException(f"{name} judges nothing by itself; shadows are of {' and '.join(JUDGES)}")
    if stop:
        click.echo(f"{registry.stop_shadow(name, why)} is no shadow any more. {NEXT_START}")
        return
    prove(registry)(registry.get(ref))
    registry.start_shadow(ref, why)
    click.echo(f"{ref} is the shadow of {registry.active_ref(name)}. {NEXT_START}")
    click.echo(f"How often it agrees: lastlook models show {ref}")


def prove(registry: Registry) -> Callable[[Model[Card]], None]:
    """How a model is proven: an inspector opens with it in the place of the active one, and judges golden frames. Of
    a model that judges nothing by itself, the files are all there is to verify.
    """
    from inspector import Inspector

    def proven(model: Model[Card]) -> None:
        if model.card.name in JUDGES:
            Inspector.load(active=registry.standing_in(f"{model.card.name}/{model.card.version}"))

    return proven


def _shadow_lines(tally: ShadowTally) -> Iterable[str]:
    for beside, agreement in tally.beside.items():
        yield f"beside {beside}, {str(agreement.first)[:16]} to {str(agreement.last)[:16]}:"
        yield f"  {_share(agreement)}"
        yield (
            f"  {agreement.stricter} held that were released, {agreement.laxer} released that were held, "
            f"{agreement.other} where one asked for another picture"
        )
        for d in agreement.differences:
            yield f"  {d.at}  {d.by}  {d.inspection or 'not recorded'}: {d.active}, shadow {d.shadow}"
    if tally.failed:
        yield f"{tally.failed} times it could not answer, last: {tally.last_failure}"
    if tally.dropped:
        yield f"{tally.dropped} parcels came faster than it judges, and were left out"
    if tally.unreadable:
        yield f"{tally.unreadable} lines of its record cannot be read"


def _share(agreement: Agreement) -> str:
    from models.evaluation.bounds import lower_bound, upper_bound

    n, agreed = agreement.judged, agreement.agreed
    low, high = lower_bound(agreed, n, 0.975), upper_bound(agreed, n, 0.975)
    return f"agreed on {agreed} of {n} parcels: {agreed / n:.1%} (95 % interval {low:.1%} to {high:.1%})"


def _listed(model: Listed) -> dict[str, Any]:
    told = asdict(model)
    return {"model": model.ref, **told, "folder": str(model.folder)}


def _print_json(told: object) -> None:
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))


def _print_table(head: tuple[str, ...] | None, rows: Iterable[tuple[str, ...]]) -> None:
    table = [*([head] if head else []), *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
