"""A shop adds its courier in TOML, and an error names the key to correct."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.shipments.carriers import CarrierSettingsError, load_carriers
from tests.api.shipments.conftest import ENVIRONMENT, carriers_toml

GOOD = carriers_toml("http://127.0.0.1:1")


def error_of(path: Path, text: str, environment: dict[str, str] | None = None) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CarrierSettingsError) as caught:
        load_carriers(path, ENVIRONMENT if environment is None else environment)
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "couriers.toml"


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ('kind = "17track"', 'kind = "18track"', r"carriers\.17: .*'17track', 'http'"),
        ("batch_size = 20", "batch_size = 0", r"carriers\.house\.batch_size: .*greater than or equal to 1"),
        ("batch_size = 20", "batchsize = 20", r"carriers\.house\.batchsize: Extra inputs"),
        ('events = "history"\n', "", r"carriers\.house\.answer\.events: Field required"),
        ('DLV = "delivered"', 'DLV = "arrived"', r"statuses\.DLV is 'arrived'; it must be one of label_created"),
        ('zone = "America/Sao_Paulo"', 'zone = "Brasilia"', r"carriers\.house\.zone: .*'Brasilia'"),
        ("ids={numbers}", "ids=", r"must hold \{number\} or \{numbers\}"),
        ("ids={numbers}", "ids={number}", r"batch_size above 1 needs \{numbers\}"),
        ('parcels = "data.parcels"\n', "", r"needs answer\.parcels"),
        ("http://127.0.0.1:1/parcels", "http://courier.example/parcels", r"carriers\.house\.url: .*https://"),
        ("[carriers.17]", "[carriers.'Fast & Co']", r"carriers\.Fast & Co"),
        ("[carriers.17]", "[carriers.17", r"is not TOML: .*line 2"),
    ],
)
def test_the_key_to_correct_is_named(path: Path, right: str, wrong: str, named: str) -> None:
    assert right in GOOD
    message = error_of(path, GOOD.replace(right, wrong, 1))
    assert str(path) in message
    assert re.search(named, message), message


def test_a_missing_variable_is_named_and_no_value_is_shown(path: Path) -> None:
    message = error_of(path, GOOD, {"SEVENTEENTRACK_KEY": "hunter2"})
    assert "carriers.house needs the environment variable HOUSE_KEY" in message
    assert "hunter2" not in message
    pasted = error_of(path, GOOD.replace('kind = "17track"', 'kind = "17track"\nkey = "hunter2"', 1))
    assert "carriers.17.key: Extra inputs" in pasted
    assert "hunter2" not in pasted


def test_no_file_no_couriers(tmp_path: Path) -> None:
    assert load_carriers(None) == {}
    with pytest.raises(CarrierSettingsError, match="cannot be read"):
        load_carriers(tmp_path / "missing.toml")
