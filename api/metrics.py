"""What Prometheus may ask: requests, verdicts, inspection seconds, ages of queues, jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from api.context import Clock
from api.database import Database

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double each series, and nobody here reads them


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that is read from the database when Prometheus asks, such as the age of the oldest thing in a queue.

    name: in Prometheus' manner, with its unit (lastlook_poll_queue_age_seconds). read: session, now -> number.
    """

    name: str
    documentation: str
    read: Callable[[Session, datetime], float]


class Metrics:
    """The counters of one app (an app of its own in each test, hence a registry of its own)."""

    def __init__(self, database: Database, clock: Clock, readings: Sequence[Reading] = ()) -> None:
        self.registry = CollectorRegistry()
        requests = ["method", "route", "status"]
        self._requests = Counter("lastlook_requests", "Requests answered", requests, registry=self.registry)
        self._seconds = Histogram(
            "lastlook_request_seconds",
            "Seconds from the first byte asked to the last byte answered",
            ["route"],
            registry=self.registry,
        )
        self._verdicts = Counter("lastlook_verdicts", "Verdicts", ["verdict", "by"], registry=self.registry)
        self._inspection = Histogram(
            "lastlook_inspection_seconds",
            "Seconds the server's eye took for one parcel",
            buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self._jobs = Counter("lastlook_job_runs", "Runs of background jobs", ["job", "outcome"], registry=self.registry)
        self.registry.register(_Readings(database, clock, readings))

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request is done."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def judged(self, verdict: str, by: str) -> None:
        """One verdict was stored or given. by: "station" or "server"."""
        self._verdicts.labels(verdict, by).inc()

    def inspected(self, seconds: float) -> None:
        """The server's eye took this long."""
        self._inspection.observe(seconds)

    def job_ran(self, job: str, *, failed: bool) -> None:
        """One run of a background job."""
        self._jobs.labels(job, "failed" if failed else "done").inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)


class _Readings(Collector):
    def __init__(self, database: Database, clock: Clock, readings: Sequence[Reading]) -> None:
        self._database, self._clock, self._readings = database, clock, readings

    def describe(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily(reading.name, reading.documentation) for reading in self._readings]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not self._readings:
            return
        with self._database.reading() as session:
            now = self._clock()
            for reading in self._readings:
                yield GaugeMetricFamily(reading.name, reading.documentation, reading.read(session, now))
