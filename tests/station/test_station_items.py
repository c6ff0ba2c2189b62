"""A bench without its API, or with an odd one, goes on with the items it has."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inspector.following import cursor
from inspector.gallery import Gallery, GalleryError
from inspector.gallery_archive import import_archive, open_archive, write_archive
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


class Server:
    """Takes what it is sent, but for some items; has one item of its own."""

    def __init__(self, gallery: Gallery, refused: frozenset[str]) -> None:
        self.gallery, self.refused, self.status = gallery, refused, 422
        self.sent: list[tuple[dict[str, int], int]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            file = io.BytesIO()
            changes = self.gallery.changes(None, 100)
            write_archive(self.gallery, file, changes.items, at=NOW, until=changes.until)
            return httpx.Response(200, content=file.getvalue())
        content = request.read()
        with open_archive(io.BytesIO(content)) as archive:
            told = {item.item: len(item.references) for item in archive.manifest.items}
        self.sent.append((told, len(content)))
        if self.refused & told.keys():
            return httpx.Response(self.status, text="not this one")
        import_archive(self.gallery, io.BytesIO(content))
        return httpx.Response(200, json={"items": len(told)})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Gallery.open(tmp_path / "server" / "gallery.sqlite", ColourEmbedder()) as gallery:
        gallery.teach("of the server", [reference("of the server")], at=NOW)
        yield Server(gallery, frozenset())


def work(bench: Gallery, server: Server) -> None:
    with httpx.Client(base_url="http://api", transport=httpx.MockTransport(server)) as client:
        ItemSync(bench, client, dict, lambda: NOW).work()


def test_what_the_api_refuses_keeps_nothing_else_waiting(
    bench: Gallery, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.items.UP_AT_ONCE", 1)
    server.refused = frozenset({"broken"})
    for item in ("broken", "cable"):
        bench.teach(item, [reference(item)], at=NOW)
    with pytest.raises(NotFollowedError, match=r"broken could not be told.*422 not this one"):
        work(bench, server)
    assert bench.untold().keys() == {"broken"}, "and is told again next time"
    assert bench.items(["of the server"]), "what changed there came down all the same"


def test_what_is_sent_together_with_something_refused_arrives(bench: Gallery, server: Server) -> None:
    server.refused = frozenset({"broken"})
    for item in ("broken", "cable", "mouse"):
        bench.teach(item, [reference(item)], at=NOW)
    with pytest.raises(NotFollowedError, match=r"^broken could not be told.*422 not this one"):
        work(bench, server)
    assert bench.untold().keys() == {"broken"}
    assert {"cable", "mouse"} <= set(server.gallery.ids())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_not_asked_once_for_each_item(bench: Gallery, server: Server, status: int) -> None:
    server.refused, server.status = frozenset({"broken"}), status
    for item in ("broken", "cable", "mouse"):
        bench.teach(item, [reference(item)], at=NOW)
    with pytest.raises(NotFollowedError, match=f"the API answers {status}"):
        work(bench, server)
    assert len(server.sent) == 1
    assert bench.untold().keys() == {"broken", "cable", "mouse"}
    assert bench.items(["of the server"]), "what changed there came down all the same"


def test_a_request_holds_no_more_pictures_than_it_may(
    bench: Gallery, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = [reference("cable", seed=seed) for seed in range(5)]
    most = 2 * max(len(r.picture) + len(r.mask) for r in [*references, reference("ball")]) + 10
    monkeypatch.setattr("station.items.UP_BYTES", most)
    bench.teach("cable", references, at=NOW)
    bench.teach("ball", [reference("ball")], at=NOW)
    bench.describe("named only", name="a name", weight_g=None, weight_sd_g=None, by=None, at=NOW)
    work(bench, server)
    assert [told for told, _ in server.sent] == [{"ball": 1, "cable": 1}, {"cable": 2}, {"cable": 2, "named only": 0}]
    assert all(size < most + 6000 for _, size in server.sent), "a manifest and vectors beside the pictures"
