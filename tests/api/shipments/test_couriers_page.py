"""docs/couriers.md keeps its word: its file is read, and its example is followed on the simulated courier."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from api.shipments.carriers import Tracked, close_all, load_carriers
from api.shipments.tracking import Status
from demo.courier import Courier
from tests.api.shipments.conftest import ENVIRONMENT

PAGE = Path(__file__).parents[3] / "docs" / "couriers.md"


def test_the_example_works_as_written(courier: Courier, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    toml = "\n".join(re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    path = tmp_path / "couriers.toml"
    path.write_text(toml.replace("http://127.0.0.1:8322", courier.url), encoding="utf-8")

    scans = re.search(r"parcels/LP1 \\\n\s+-d '(.*?)'", page)
    assert scans is not None
    script = urllib.request.Request(f"{courier.url}/simulation/parcels/LP1", data=scans[1].encode(), method="PUT")
    urllib.request.urlopen(script).close()
    ask = urllib.request.Request(f"{courier.url}/parcels?ids=LP1", headers={"X-Key": "simulated"})
    with urllib.request.urlopen(ask) as answer:
        shown = re.search(r'^    (\{"data".*?\]\}\]\}\})$', page, re.DOTALL | re.MULTILINE)
        assert shown is not None
        assert json.load(answer) == json.loads(shown[1])

    clients = load_carriers(path, ENVIRONMENT)
    outcome = clients["house"].track(["LP1"])["LP1"]
    close_all(clients)
    assert isinstance(outcome, Tracked)
    assert outcome.status is Status.PICKED_UP
    assert outcome.events[0].at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
