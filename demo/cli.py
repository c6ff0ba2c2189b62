"""`lastlook demo`: the whole way of some parcels, on this machine, in a minute."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("lastlook-demo"),
    show_default=True,
    help="Where pictures, reports and the database of this run go (a new folder inside it each time).",
)
def demo(out: Path) -> None:
    """Walk parcels through every room; needs no camera and no network."""
    from datetime import UTC, datetime

    from demo.courier import Courier
    from demo.story import CARRIER_KEY, Day, carriers_file
    from demo.warehouse import DemoError, running

    now = datetime.now(UTC).replace(microsecond=0)
    here = out / now.strftime("%Y%m%d-%H%M%S")
    here.mkdir(parents=True)
    with Courier() as courier:
        carriers = here / "carriers.toml"
        carriers.write_text(carriers_file(courier), "utf-8")
        environment = {"LASTLOOK_CARRIERS": str(carriers), "LASTLOOK_ZONE": "UTC", **CARRIER_KEY}
        click.echo("Starting the warehouse (lastlook serve) and a simulated courier on this machine ...")
        try:
            with running(here / "data", here / "server.log", environment) as warehouse:
                Day(warehouse, courier, here, click.echo, now).play()
        except DemoError as error:
            raise click.ClickException(f"{error}\nEverything so far is in {here}.") from None
    click.echo(
        f"""
Everything is in {here}:
  pictures/      what the camera saw, with the findings drawn in
  report-*.html  the day's defect report, English and Chinese (open it, print it)
  data/          the database and the evidence

Try next:
  lastlook inspect my_photo.jpg --annotate judged     your own parcel
  lastlook serve                                      the API; its pages are at /docs and /reports/
  lastlook station --camera usb:0                     a bench with a camera and the kiosk"""
    )
