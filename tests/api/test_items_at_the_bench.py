"""A bench's items follow the server's, and what is taught at the bench reaches the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.context import Services
from inspector.gallery import Gallery
from station.items import ItemSync
from tests.api.making import on_sqlite_only
from tests.inspector.likeness import BLUE, GREEN, NOW, RED, ColourEmbedder, photo, reference

Keys = dict[str, dict[str, str]]
pytestmark = on_sqlite_only


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "bench" / "gallery.sqlite", ColourEmbedder()) as gallery:
        yield gallery


@pytest.fixture
def sync(bench: Gallery, client: TestClient, keys: Keys) -> ItemSync:
    return ItemSync(bench, client, lambda: keys["station"], lambda: NOW)


def seen(gallery: Gallery) -> dict[str, set[str]]:
    return {item: {r.id for r in record.references} for item, record in gallery.records(gallery.ids()).items()}


def teach(client: TestClient, keys: Keys, item: str, shown: bytes) -> str:
    headers = keys["station"] | {"content-type": "image/png"}
    answer = client.put(f"/v1/items/{item}/references", content=shown, headers=headers)
    assert answer.status_code == 201, answer.text
    reference: str = answer.json()["kept"][0]["reference"]
    return reference


def test_the_bench_knows_what_the_server_was_taught(
    client: TestClient, keys: Keys, services: Services, bench: Gallery, sync: ItemSync
) -> None:
    first, second = teach(client, keys, "cable", photo(RED)), teach(client, keys, "ball", photo(BLUE))
    client.put("/v1/items/cable", json={"name": "USB cable", "weight_g": 42}, headers=keys["warehouse"])
    sync.work()
    assert seen(bench) == {"cable": {first}, "ball": {second}}
    cable = bench.items(["cable"])["cable"]
    assert (cable.name, cable.weight_g, cable.accept) == ("USB cable", 42, 0.8)
    assert bench.embedder.embedded == [], "the vectors came along"  # type: ignore[attr-defined]  # the tests' embedder
    client.put("/v1/items/cable", json={"weight_g": 43}, headers=keys["warehouse"])
    client.delete("/v1/items/ball", headers=keys["warehouse"])
    sync.work()
    cable = bench.items(["cable"])["cable"]
    assert (cable.name, cable.weight_g) == (None, 43)
    assert seen(bench) == {"cable": {first}}
    assert bench.untold() == {}


def test_what_the_bench_was_taught_reaches_the_server_and_the_other_benches(
    client: TestClient, keys: Keys, bench: Gallery, sync: ItemSync, tmp_path: Path
) -> None:
    teach(client, keys, "cable", photo(RED))
    sync.work()
    mine = reference("cable", (60, 60, 230), 5)
    wrong = reference("cable", GREEN, 6, counter=True)
    bench.teach("cable", [mine, wrong], at=NOW)
    bench.teach("ball", [reference("ball", BLUE)], weight_g=9, at=NOW)
    assert bench.untold().keys() == {"cable", "ball"}
    sync.work()
    assert bench.untold() == {}
    with Gallery.open(tmp_path / "other" / "gallery.sqlite", ColourEmbedder()) as other:
        ItemSync(other, client, lambda: keys["station"], lambda: NOW).work()
        assert seen(other) == seen(bench)
        assert {mine.id, wrong.id} <= seen(other)["cable"]
        assert other.items(["ball"])["ball"].weight_g == 9


def test_many_items_come_page_by_page(client: TestClient, services: Services, bench: Gallery, sync: ItemSync) -> None:
    server = services.gallery.get()
    for number in range(230):
        server.describe(f"item-{number}", name=None, weight_g=1.0, weight_sd_g=None, by=None, at=NOW)
    sync.work()
    assert len(bench.ids()) == 230


def test_a_new_server_replaces_what_the_former_one_told_and_nothing_else(
    client: TestClient, keys: Keys, services: Services, bench: Gallery, sync: ItemSync, settings: Any, tmp_path: Path
) -> None:
    teach(client, keys, "cable", photo(RED))
    teach(client, keys, "ball", photo(BLUE))
    sync.work()
    bench.teach("ball", [reference("ball", GREEN, 9)], at=NOW)
    services.gallery.close()
    fresh = Gallery.open(tmp_path / "fresh.sqlite", ColourEmbedder())
    services.gallery._load = lambda: fresh
    only = teach(client, keys, "cable", photo(RED, seed=4))
    sync.work()
    assert seen(bench) == {"cable": {only}, "ball": {reference("ball", GREEN, 9).id}}
    assert seen(fresh) == seen(bench)


def test_a_server_that_lost_its_gallery_takes_nothing_from_the_benches(
    client: TestClient, keys: Keys, services: Services, bench: Gallery, sync: ItemSync, tmp_path: Path
) -> None:
    known = teach(client, keys, "cable", photo(RED))
    sync.work()
    services.gallery.close()
    empty = Gallery.open(tmp_path / "empty.sqlite", ColourEmbedder())
    services.gallery._load = lambda: empty
    sync.work()
    assert seen(bench) == {"cable": {known}}, "the bench has the last copy"
    sync.work()
    assert seen(empty) == {"cable": {known}}, "and gives it back"
