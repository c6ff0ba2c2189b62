"""Work that nobody waits for: jobs that run again and again, one thread each, in the server or beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from api.context import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do every `interval`.

    run: does what is due at services.clock() and returns; it must be safe to run in several processes at once and to
    be killed at any moment. What it raises is logged and counted, and it runs again after the interval.
    stop: set when the process is about to end; a long run looks at it between two steps.
    """

    name: str
    interval: timedelta
    run: Callable[[Services, threading.Event], None]


class Worker:
    """Runs jobs until it is stopped. Each job has its own thread, so a slow courier delays no other job."""

    def __init__(self, jobs: Sequence[Job], services: Services) -> None:
        self._stop = threading.Event()
        self._services = services
        self._threads = [
            threading.Thread(target=self._repeat, args=(job,), name=f"job {job.name}", daemon=True) for job in jobs
        ]

    def start(self) -> None:
        """Start every job at once."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Ask every job to end and wait for it, each at most `seconds`."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)

    def _repeat(self, job: Job) -> None:
        while not self._stop.is_set():
            try:
                job.run(self._services, self._stop)
                self._services.metrics.job_ran(job.name, failed=False)
            except Exception:  # the boundary of a thread: it must outlive one bad run
                log.exception("job failed; it will run again", extra={"job": job.name})
                self._services.metrics.job_ran(job.name, failed=True)
            self._stop.wait(job.interval.total_seconds())
