"""`lastlook adapt`: teach the eye a bench's own photos."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from models.adaptation.teaching import Taught

GOOD, REFUSED, UNUSABLE = 0, 1, 2


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder with intact/ and damaged/, or annotations.json.")
@click.option("--examples", type=click.Path(path_type=Path), help="A station's kept examples (`examples` in its data).")
@click.option("--name", help="Version of the candidate: parcel/NAME.  [the folder's name and today's date]")
@click.option(
    "--escape-cost", type=click.FloatRange(0), default=50.0, show_default=True, help="Of a damaged parcel sent."
)
@click.option(
    "--false-stop-cost", type=click.FloatRange(0), default=1.0, show_default=True, help="Of an intact one held."
)
@click.option("--look-cost", type=click.FloatRange(0), default=0.2, show_default=True, help="Of a person looking once.")
@click.option(
    "--damaged-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.02,
    show_default=True,
    help="Of all parcels that come to this bench.",
)
@click.option(
    "--miss-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    help="Promise with 95 % confidence that at most this share of damaged parcels passes.",
)
@click.option(
    "--models",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of this site's models.  [LASTLOOK_MODELS, else `models` in LASTLOOK_DATA]",
)
@click.option(
    "--cache", type=click.Path(file_okay=False, path_type=Path), help="Where looks are kept.  [beside --models]"
)
@click.option("--dry-run", is_flag=True, help="Measure only; register nothing.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def adapt(
    data: Path | None,
    examples: Path | None,
    name: str | None,
    escape_cost: float,
    false_stop_cost: float,
    look_cost: float,
    damaged_share: float,
    miss_rate: float,
    folder: Path | None,
    cache: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Teach the eye this bench's own photos, measure what was learnt, and register it if it is not worse.

    Costs are in any one unit. Exit code: 0 a better or equal model is registered (not yet in use), 1 it does worse and
    nothing was registered, 2 there is too little to learn from, or something could not be used.
    """
    from inspector import EngineError, GoldenError
    from models import ModelError
    from models.adaptation.learning import TooFewError
    from models.adaptation.teaching import Wish, teach
    from models.cli import prove
    from models.evaluation.labelled import LabelsError
    from models.evaluation.promise import Asked, Costs
    from models.registry import Registry, site_in, utc_now

    if data is None and examples is None:
        raise click.UsageError("nothing to learn from: give --data, --examples, or both")
    try:
        registry = Registry(folder or site_in(os.environ), who=_user())
        today = utc_now().date().isoformat()
        wish = Wish(
            version=name or _name(data or examples, today),
            created=today,
            costs=Costs(escape_cost, false_stop_cost, look_cost, damaged_share),
            asked=Asked(miss_rate),
        )
        taught = teach(
            data, examples, registry, cache or registry.site / "looks", wish, progress=_progress, register=not dry_run
        )
    except (LabelsError, TooFewError, ModelError, EngineError, GoldenError, ValueError) as error:
        click.echo(str(error), err=True)
        sys.exit(UNUSABLE)
    try:
        if taught.folder:
            registry.validate(taught.ref, prove(registry))
    except (ModelError, EngineError, GoldenError) as error:
        click.echo(f"{taught.ref} lies in {taught.folder} as a candidate, but was not validated: {error}", err=True)
        sys.exit(UNUSABLE)
    _tell(taught, as_json=as_json)
    sys.exit(REFUSED if taught.adapted.comparison.worse else GOOD)


def _tell(taught: Taught, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(document(taught), indent=2, ensure_ascii=False))
        return
    for name, reason in taught.lessons.left_out:
        click.echo(f"not learnt from  {name}: {reason}", err=True)
    learnt, adapted = taught.lessons, taught.adapted
    count, damaged = len(learnt.names), int(learnt.damaged.sum())
    known = f"; {taught.recalled} had been looked at before" if taught.recalled else ""
    click.echo(
        f"{count} photos ({damaged} damaged, {count - damaged} intact) of {len(set(learnt.groups))} parcels or sessions"
        f"{known}."
    )
    if adapted.way == "unusual":
        click.echo(f"\n{adapted.comparison.text}")
    else:
        _tell_figures(taught)
    if adapted.comparison.worse:
        click.echo(f"\nRefused: it does worse than {adapted.comparison.against}. Nothing was registered.")
        click.echo("More photos help, of more parcels; of damaged ones most.")
    elif taught.folder is None:
        click.echo("\nNot worse. Nothing was registered (--dry-run).")
    else:
        click.echo(f"\n{taught.ref} is validated and lies in {taught.folder}; it is not in use yet.")
        kept = adapted.thresholds.get("promise", {}).get("kept", True)
        if not kept:
            click.echo("What was asked is not promised: teach it more photos of damaged parcels, or say that you know.")
        click.echo(f"Next: lastlook models activate {taught.ref}{'' if kept else ' --without-promise'}")
        click.echo(f"   or lastlook models shadow {taught.ref}   (judges beside the active model, never shown)")


def _tell_figures(taught: Taught) -> None:
    from models.adaptation.adapting import FIGURES

    figures, adapted = taught.adapted.figures, taught.adapted
    rivals = [who for who in figures if who not in ("adapted", "at_the_thresholds")]
    click.echo("\nOn photos of parcels that were not learnt from (95 % intervals, by group):")
    for key, words, _ in FIGURES:
        click.echo(f"  {words}")
        for who in rivals:
            click.echo(f"    {who:24} {_interval(figures[who][key])}")
        click.echo(f"    {taught.ref:24} {_interval(figures['adapted'][key])}")
        for who in rivals:
            click.echo(f"    {'gained on ' + who:24} {_interval(figures[who][key + '_gained'], signed=True)}")
    points = adapted.thresholds
    click.echo(f"  at its thresholds (fail {points['fail']}, unsure {points['unsure']})")
    for state, told in figures["at_the_thresholds"].items():
        click.echo(
            f"    {state:24} {told['fail']} stopped, {told['unsure']} for a person to look at, {told['pass']} passed, "
            f"of {told['photos']}"
        )
    if promise := points.get("promise"):
        sure = f", with {promise['confidence']:.0%} confidence" if promise["confidence"] else " on average"
        click.echo(f"  promised: at most {promise['miss_rate_at_most']:.1%} of damaged parcels pass{sure}")
        if not promise.get("kept", True):
            click.echo(f"    {promise['asked']:.1%} was asked: {promise['why']}")


def document(taught: Taught) -> dict[str, Any]:
    """For programs: what was learnt from, the figures, and what was registered."""
    learnt, adapted = taught.lessons, taught.adapted
    return {
        "model": taught.ref,
        "base": taught.base,
        "registered": taught.folder is not None,
        "refused": adapted.comparison.worse,
        "folder": None if taught.folder is None else str(taught.folder),
        "way": adapted.way,
        "photos": len(learnt.names),
        "damaged": int(learnt.damaged.sum()),
        "groups": len(set(learnt.groups)),
        "left_out": [{"name": name, "reason": reason} for name, reason in learnt.left_out],
        "comparison": adapted.comparison.model_dump(),
        "figures": adapted.figures,
        "thresholds": adapted.thresholds,
    }


def _interval(value: dict[str, Any], *, signed: bool = False) -> str:
    def told(number: float | None) -> str:
        return "not known" if number is None else f"{number:{'+' if signed else ''}.3f}"

    if value["value"] is None or value["low"] is None:
        return told(value["value"])
    return f"{told(value['value'])} ({told(value['low'])} to {told(value['high'])})"


def _progress(done: int, of: int) -> None:
    """On one line of a terminal; nothing where nobody watches."""
    if sys.stderr.isatty():
        click.echo(f"\rLooking at photo {done} of {of}" + ("\n" if done == of else ""), nl=False, err=True)


def _name(data: Path | None, today: str) -> str:
    """The folder's name, as far as a version may have it, and the day."""
    words = "".join(c if c.isascii() and c.isalnum() else "-" for c in (data.resolve().name if data else ""))
    return f"{words.strip('-')[:40] or 'bench'}-{today}"


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
