"""Jobs run again and again, and one bad run ends nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

from fastapi.testclient import TestClient

from api.context import Services
from api.worker import Job, Worker
from tests.api.making import on_sqlite_only


@on_sqlite_only
def test_a_job_that_fails_runs_again_and_delays_no_other(client: TestClient, services: Services) -> None:
    failed_twice, other_ran = threading.Event(), threading.Event()
    runs: list[int] = []

    def fail(_services: Services, _stop: threading.Event) -> None:
        runs.append(1)
        if len(runs) == 2:
            failed_twice.set()
        raise RuntimeError("courier hangs")

    def wait_for_ever(_services: Services, stop: threading.Event) -> None:
        stop.wait()

    def work(_services: Services, _stop: threading.Event) -> None:
        other_ran.set()

    jobs = [
        Job("fails", timedelta(milliseconds=1), fail),
        Job("hangs", timedelta(hours=1), wait_for_ever),
        Job("works", timedelta(hours=1), work),
    ]
    worker = Worker(jobs, services)
    worker.start()
    assert failed_twice.wait(20)
    assert other_ran.wait(20)
    worker.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job ")]
    metrics = client.get("/metrics").text
    assert 'lastlook_job_runs_total{job="works",outcome="done"} 1.0' in metrics
    assert 'outcome="failed"' in metrics
