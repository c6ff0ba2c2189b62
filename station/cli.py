"""`lastlook station`: run a bench."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group(invoke_without_command=True)
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="TOML file with the bench's settings.")
@click.option("--camera", help="usb:0, usb:/dev/v4l/by-id/NAME, video:FILE or folder:DIR.")
@click.option("--api", help="Address of the API.  [default: http://127.0.0.1:8321]")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the API key (or set LASTLOOK_STATION_KEY).",
)
@click.option("--name", help="How the records call this bench.  [default: bench-1]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of the spool, on a local disk.")
@click.option("--port", type=click.IntRange(0, 65535), help="Of the kiosk page.  [default: 8322]")
@click.option("--language", type=click.Choice(["en", "zh"]), help="Of the kiosk at its start.")
@click.pass_context
def station(context: click.Context, /, config: Path | None, **flags: object) -> None:
    """Run a bench: camera, kiosk page, and the spool that brings every inspection to the API."""
    if context.invoked_subcommand is not None:
        return
    from pydantic import ValidationError

    from station.settings import read_settings
    from station.sources import parse_camera

    try:
        camera = flags.pop("camera")
        settings = read_settings(config, camera=parse_camera(str(camera)) if camera else None, **flags)
    except ValidationError as error:
        raise click.UsageError(_told(error)) from None
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from None
    from station.serving import serve

    sys.exit(serve(settings))


@station.command("hash-pin")
@click.option("--name", prompt="Name of the person who approves")
def hash_pin_command(name: str) -> None:
    """Print the lines for the settings file that let a person release held parcels. The PIN is asked for."""
    import json

    from station.approval import hash_pin

    pin = click.prompt("PIN (4 to 12 digits)", hide_input=True, confirmation_prompt=True)
    try:
        hashed = hash_pin(pin)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"[[approvers]]\nname = {json.dumps(name, ensure_ascii=False)}\npin = {json.dumps(hashed)}")


def _told(error: Exception) -> str:
    """What pydantic found, in the words of whoever sets up the bench."""
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)  # noqa: S101 -- called for nothing else
    lines = []
    for found in error.errors():
        where = ".".join(str(part) for part in found["loc"])
        if where == "camera" and found["type"] == "missing":
            lines.append("no camera: give --camera usb:0, video:FILE or folder:DIR, or [camera] in the settings file")
        else:
            lines.append(f"{where}: {found['msg']}")
    return "; ".join(lines)
