"""What was acknowledged is on the disk, and stays there until the API has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.spool import Kind, Spool, SpoolError, refuse_network_disk
from tests.station.benchside import START


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    kept = Spool(tmp_path)
    yield kept
    kept.close()


def test_entries_come_back_in_order_with_their_pictures_after_a_restart(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    for n in range(3):
        first.add(f"id-{n}", f'{{"n": {n}}}', [("sealed.jpg", b"\xff" * n), ("annotated-包裹.jpg", b"x")], START)
    first.add_override("id-1", "{}", START)
    first.close()
    second = Spool(tmp_path)
    try:
        assert [(e.inspection, e.kind) for e in second.waiting()] == [
            ("id-0", Kind.INSPECTION),
            ("id-1", Kind.INSPECTION),
            ("id-2", Kind.INSPECTION),
            ("id-1", Kind.OVERRIDE),
        ]
        assert second.pictures("id-2") == [("sealed.jpg", b"\xff\xff"), ("annotated-包裹.jpg", b"x")]
        assert second.queue().waiting == 4
        assert second.queue().oldest == START
    finally:
        second.close()


def test_a_queue_of_thousands_drops_nothing(spool: Spool) -> None:
    for n in range(200):
        spool.add(f"i{n}", "{}", [], START)
    assert spool.queue().waiting == 200
    sent = []
    while batch := spool.waiting():
        for entry in batch:
            sent.append(entry.inspection)
            spool.sent(entry.seq, START)
    assert sent == [f"i{n}" for n in range(200)]


def test_an_inspection_is_kept_whole_or_not_at_all(spool: Spool) -> None:
    with pytest.raises(SpoolError):
        spool.add("id-1", "{}", [("a.jpg", b"1"), ("a.jpg", b"2")], START)
    assert spool.waiting() == []
    assert spool.pictures("id-1") == []


def test_a_full_disk_is_said_to_be_full_and_costs_nothing_that_was_kept(spool: Spool) -> None:
    spool.add("id-1", "{}", [("a.jpg", b"1")], START)
    pages = spool._db.execute("pragma page_count").fetchone()[0]
    spool._db.execute(f"pragma max_page_count = {pages + 2}")
    with pytest.raises(SpoolError) as error:
        spool.add("id-2", "{}", [("a.jpg", b"1" * 1_000_000)], START)
    assert error.value.code == "full"
    assert [e.inspection for e in spool.waiting()] == ["id-1"]
    spool._db.execute("pragma max_page_count = 100000")
    spool.add("id-2", "{}", [("a.jpg", b"1" * 1_000_000)], START)
    assert [e.inspection for e in spool.waiting()] == ["id-1", "id-2"]


def test_what_the_api_refused_is_parked_with_all_that_belongs_to_it_and_can_be_tried_again(spool: Spool) -> None:
    spool.add("bad", "{}", [], START)
    spool.add("good", "{}", [], START)
    spool.add_override("bad", "{}", START)
    spool.park(spool.waiting()[0].seq, "422: no", START)
    assert [(e.inspection, e.kind) for e in spool.waiting()] == [("good", Kind.INSPECTION)]
    queue = spool.queue()
    assert (queue.waiting, queue.parked) == (1, 2)
    assert {e.note for e in queue.parked_latest} == {"422: no"}
    assert spool.retry_parked() == 2
    assert len(spool.waiting()) == 3


def test_only_what_was_sent_long_ago_is_forgotten(spool: Spool) -> None:
    keep, later = timedelta(days=3), START + timedelta(days=4)
    for name in ("sent", "waits", "parked", "half"):
        spool.add(name, "{}", [("a.jpg", b"1")], START)
    spool.add_override("half", "{}", START)
    seq = {(e.inspection, e.kind): e.seq for e in spool.waiting()}
    spool.sent(seq["sent", Kind.INSPECTION], START)
    spool.sent(seq["half", Kind.INSPECTION], START)
    spool.park(seq["parked", Kind.INSPECTION], "no", START)
    assert spool.prune(START + timedelta(days=2), keep) == 0
    assert spool.prune(later, keep) == 1
    assert spool.pictures("sent") == []
    assert all(spool.pictures(name) for name in ("waits", "parked", "half"))


def test_two_stations_cannot_share_a_spool(tmp_path: Path, spool: Spool) -> None:
    with pytest.raises(SpoolError) as error:
        Spool(tmp_path)
    assert error.value.code == "in_use"
    assert "--data" in str(error.value)


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite3").write_bytes(b"this was a database once" * 200)
    with pytest.raises(SpoolError) as error:
        Spool(tmp_path)
    assert error.value.code == "damaged"
    assert (tmp_path / "spool.sqlite3").read_bytes().startswith(b"this was")


def test_commits_are_flushed_to_the_disk(spool: Spool) -> None:
    assert spool._db.execute("pragma synchronous").fetchone()[0] == 2  # FULL
    assert spool._db.execute("pragma journal_mode").fetchone()[0] == "wal"


def test_a_network_disk_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/my\\040share nfs4 rw 0 0\n")
    refuse_network_disk(tmp_path / "local", mounts)
    with pytest.raises(SpoolError) as error:
        refuse_network_disk(tmp_path / "my share" / "spool", mounts)
    assert error.value.code == "network_disk"
    refuse_network_disk(tmp_path / "my share2", mounts)


def test_orders_are_remembered_and_forgotten(spool: Spool) -> None:
    assert spool.recall("A1") is None
    spool.remember("A1", "{}", START)
    spool.remember("A1", '{"marks": []}', START + timedelta(hours=1))
    assert spool.recall("A1") == ('{"marks": []}', START + timedelta(hours=1))
    spool.forget("A1")
    assert spool.recall("A1") is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 5)),
            st.tuples(st.just("override"), st.integers(0, 5)),
            st.tuples(st.just("sent"), st.integers(0, 5)),
            st.tuples(st.just("park"), st.integers(0, 5)),
            st.tuples(st.just("retry"), st.just(0)),
            st.tuples(st.just("reopen"), st.just(0)),
        ),
        max_size=30,
    )
)
def test_whatever_happens_every_entry_is_sent_waiting_or_parked(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder)
    added: set[tuple[str, Kind]] = set()
    sent: set[tuple[str, Kind]] = set()
    for step, n in steps:
        entries = spool.waiting()
        match step:
            case "add" if (f"i{n}", Kind.INSPECTION) not in added:
                spool.add(f"i{n}", "{}", [("a.jpg", b"1")], START)
                added.add((f"i{n}", Kind.INSPECTION))
            case "override" if (f"i{n}", Kind.OVERRIDE) not in added:
                spool.add_override(f"i{n}", "{}", START)
                added.add((f"i{n}", Kind.OVERRIDE))
            case "sent" if entries:
                entry = entries[n % len(entries)]
                spool.sent(entry.seq, START)
                sent.add((entry.inspection, entry.kind))
            case "park" if entries:
                spool.park(entries[n % len(entries)].seq, "no", START)
            case "retry":
                spool.retry_parked()
            case "reopen":
                spool.close()
                spool = Spool(folder)
    spool.retry_parked()
    left = {(e.inspection, e.kind) for e in spool.waiting()}
    spool.close()
    assert left | sent == added
    assert not left & sent


def test_the_file_is_plain_sqlite_that_anybody_can_read(tmp_path: Path, spool: Spool) -> None:
    spool.add("id-1", "{}", [], START)
    reader = sqlite3.connect(tmp_path / "spool.sqlite3")
    assert reader.execute("select inspection, state from entry").fetchall() == [("id-1", "waiting")]
    reader.close()
