"""`python -m station` is `lastlook station`."""

from station.cli import station

station(prog_name="lastlook station")
