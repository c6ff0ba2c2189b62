"""The jobs that follow parcels: ask couriers, watch promises."""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

from api.context import Clock, Services
from api.metrics import Reading
from api.shipments import flags, polling
from api.shipments.carriers import CarrierClient, CarrierSettingsError, close_all, load_carriers
from api.shipments.settling import Circumstances
from api.worker import Job

log = logging.getLogger(__name__)

PROMISES_AT_ONCE = 20
ANSWERS_AT_ONCE = 10
"""Parcels a transaction: on SQLite everybody else who writes waits for it."""


class Poller:
    """Asks every courier that has something due, each in a thread of its own, as fast as its pace allows.

    The couriers' file is read again when it changes; a file that cannot be used leaves the couriers as they were.
    environment: where the couriers' credentials are. patience: seconds that a run waits for its threads; a courier that
    thinks longer goes on in its thread while the others are asked again. None waits for all.
    """

    def __init__(
        self, rng: random.Random, environment: Mapping[str, str] = os.environ, patience: float | None = 1.0
    ) -> None:
        self._rng, self._environment, self._patience = rng, environment, patience
        self._version: tuple[Path, int] | None = None
        self._clients: dict[str, CarrierClient] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._errors: SimpleQueue[Exception] = SimpleQueue()
        self._one_run = threading.Lock()

    def run(self, services: Services, stop: threading.Event) -> None:
        """Poll what is due now and the couriers' pace allows now. Raises what went wrong in a thread."""
        with self._one_run:
            self._threads = {name: thread for name, thread in self._threads.items() if thread.is_alive()}
            self._load(services.settings.carriers, services.clock)
            with services.database.reading() as session:
                due = polling.due_carriers(session, services.clock())
            started = [self._start(services, stop, name) for name in self._clients if self._may_start(name, due)]
        for thread in started:
            thread.join(self._patience)
        if not self._errors.empty():
            raise self._errors.get()

    def close(self) -> None:
        """Give the couriers' connections back."""
        close_all(self._clients)
        self._clients, self._version = {}, None

    def _may_start(self, name: str, due: Collection[str]) -> bool:
        return name in due and name not in self._threads

    def _start(self, services: Services, stop: threading.Event, name: str) -> threading.Thread:
        def poll() -> None:
            try:
                self._poll(services, stop, name)
            except Exception as error:  # the boundary of a thread: the job that started it raises it
                self._errors.put(error)

        # a daemon, because a courier may think for a minute: the process need not wait for it, the lease runs out
        thread = self._threads[name] = threading.Thread(target=poll, name=f"poll {name}", daemon=True)
        thread.start()
        return thread

    def _poll(self, services: Services, stop: threading.Event, name: str) -> None:
        client, database = self._clients[name], services.database
        while not stop.is_set():
            with database.writing() as session:
                claim = polling.claim_due(
                    session,
                    name,
                    services.clock(),
                    services.new_id(),
                    batch_size=client.batch_size,
                    per_second=client.requests_per_second,
                )
            if claim is None:
                return
            outcomes = client.track(claim.batch)  # no lock is held while the courier thinks
            world = Circumstances(services.clock(), services.settings.zone, self._rng, services.new_id)
            for part in claim.slices(ANSWERS_AT_ONCE):
                with database.writing() as session:
                    polling.take_answers(session, part, outcomes, world)

    def _load(self, path: Path | None, clock: Clock) -> None:
        version = None if path is None else (path, _changed(path))
        if version == self._version or self._threads:  # a client in use is not closed; the next run looks again
            return
        self._version = version
        try:
            clients = load_carriers(path, self._environment, clock)
        except CarrierSettingsError as error:
            log.error("the couriers' file cannot be used; couriers stay as they were: %s", error)  # noqa: TRY400 - no bug
            return
        close_all(self._clients)
        self._clients = {name.casefold(): client for name, client in clients.items()}


def watch_promises(services: Services, stop: threading.Event) -> None:
    """Raise and clear the flags that time alone changes: no courier needs to answer for a parcel to be late."""
    while not stop.is_set():
        now = services.clock()
        with services.database.reading() as session:  # on SQLite, a look takes no writer's lock from anybody
            if not polling.promises_overdue(session, now):
                return
        with services.database.writing() as session:
            shipments = polling.overdue_promises(session, now, PROMISES_AT_ONCE)
            for shipment in shipments:
                flags.assess(session, shipment, now, services.settings.zone, services.new_id)
        if not shipments:  # another worker holds what is left
            return


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


POLLER = Poller(random.Random())  # noqa: S311 - jitter between polls, not a secret

JOBS = (
    Job("poll couriers", timedelta(seconds=1), POLLER.run),
    Job("watch promises", timedelta(seconds=5), watch_promises),
)
READINGS = (Reading("lastlook_poll_queue_age_seconds", "Age of the longest overdue poll", polling.oldest_due_seconds),)
