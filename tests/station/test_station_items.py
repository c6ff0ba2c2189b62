"""A bench without its API, or with an odd one, goes on with the items it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inspector.following import cursor
from inspector.gallery import Gallery, GalleryError
from station.items import ItemSync, NotFollowedError
from tests.inspector.likeness import NOW, ColourEmbedder, reference


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "bench" / "gallery.sqlite", ColourEmbedder()) as gallery:
        yield gallery


def test_without_the_api_the_bench_goes_on_with_what_it_has(bench: Gallery) -> None:
    bench.teach("cable", [reference("cable")], at=NOW)

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    with httpx.Client(base_url="http://api", transport=httpx.MockTransport(away)) as client:
        sync = ItemSync(bench, client, dict, lambda: NOW)
        with pytest.raises(NotFollowedError, match="cannot be asked"):
            sync.work()
    assert bench.items(["cable"])
    assert bench.untold() == {"cable": {reference("cable").id}}, "and tells it later"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"PK\x03\x04 not quite"])
def test_an_answer_that_is_no_export_changes_nothing(bench: Gallery, answer: bytes) -> None:
    bench.teach("cable", [reference("cable")], at=NOW)

    def odd(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json={"items": 1}) if request.method == "POST" else httpx.Response(200, content=answer)
        )

    with (
        httpx.Client(base_url="http://api", transport=httpx.MockTransport(odd)) as client,
        pytest.raises(GalleryError, match="refused"),
    ):
        ItemSync(bench, client, dict, lambda: NOW).work()
    assert [r.id for r in bench.items(["cable"])["cable"].references] == [reference("cable").id]
    assert cursor(bench) is None


def test_a_proxy_that_says_yes_to_everything_has_not_taken_anything_over(bench: Gallery) -> None:
    bench.teach("cable", [reference("cable")], at=NOW)
    portal = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>please log in</html>"))
    with (
        httpx.Client(base_url="http://api", transport=portal) as client,
        pytest.raises(NotFollowedError, match="not the API"),
    ):
        ItemSync(bench, client, dict, lambda: NOW).work()
    assert bench.untold().keys() == {"cable"}
