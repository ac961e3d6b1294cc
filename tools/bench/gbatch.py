"""The case on Google Batch: the emulated service, which really runs its tasks, and an emulated bucket."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from .contest import Entry, Took, figures_of, take
from .engines import rig_class, told
from .figures import Figure
from .measuring import workload
from .sizes import Sizes

__all__ = ["SLOTS", "Rig", "measure", "started"]

CPU_TARGET = 2.0
"""Milliseconds of CPU that our driver may use for a job."""
REQUESTS_TARGET = 2.0
"""Requests to the bucket that our driver may make for a job."""
SLOTS = 8
"""Tasks that run at once."""
_RIGS = "tests-integration.gbatch"
_BUCKET = "bench"


@dataclass
class Rig:
    """Both services, and how often they were asked: what tasks do with their mount is no request."""

    storage: Any
    batch: Any
    runs: int = 0
    requests: float = 0.0
    """Those to the bucket in the last round."""
    imports: float = 0.0
    """Seconds of CPU for the client libraries in the last round."""

    def environment(self) -> dict[str, str]:
        """Return what tells a program of both, and of a fresh folder of the bucket."""
        self.runs += 1
        told = {
            "project": "project",
            "location": "us-central1",
            "api_endpoint": f"http://{self.batch.address}",
            "workdir": f"gs://{_BUCKET}/run{self.runs}",
        }
        return {
            **os.environ,
            "BENCH_GBATCH": json.dumps(told),
            "STORAGE_EMULATOR_HOST": self.storage.url,
            "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_BATCH": f"http://127.0.0.1:{self.batch.ports['http']}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        }

    def took(self, name: str, folder: Path, **options: int) -> Took:
        """Run a workload beside a fresh folder of the bucket."""
        self.batch.reset_calls()
        self.storage.reset_counts()
        found = workload(name, folder, env=self.environment(), **options)
        self.requests, self.imports = self.storage.requests(), float(found["import_cpu"])
        return float(found["seconds"]), float(found["cpu"])

    def calls(self) -> dict[str, int]:
        """Return how often each method of Batch was called, and the bucket."""
        requests = {"requests to the bucket": int(self.requests)} if self.requests else {}
        calls: dict[str, int] = self.batch.calls()
        return calls | requests


@contextmanager
def started() -> Iterator[Rig]:
    """Run both for the block. Raises Failed where they cannot be."""
    with tempfile.TemporaryDirectory(prefix="sched-bench-", ignore_cleanup_errors=True) as root:
        with told():
            storage = rig_class(f"{_RIGS}.storage:StorageEmulator")(Path(root, "store"), _BUCKET)
        with storage:
            batch = rig_class(f"{_RIGS}.batch:BatchEmulator")(
                storage.root, Path(root, "batch"), slots=SLOTS
            )
            with told():
                batch.start()
            try:
                yield Rig(storage, batch)
            finally:
                batch.stop()


def measure(sizes: Sizes, scratch: Path) -> list[Figure]:
    """The same jobs by one Batch job by hand, by the library, and by one Batch job each, in turn."""
    jobs = sizes.engine_jobs
    hand = Entry("one job by hand", jobs, "script runnables, no records")
    ours = Entry("Runner", jobs)
    each = Entry("a job each by hand", sizes.jobs_each, f"{SLOTS} at once, no records")
    requests, imports = [], []
    with started() as rig:
        for number in range(sizes.gbatch_rounds):
            print(f"  round {number + 1} of {sizes.gbatch_rounds}", file=sys.stderr, flush=True)
            take(ours, partial(rig.took, "gbatch", scratch, jobs=jobs, forks=jobs), rig.calls)
            requests.append(rig.requests / jobs)
            imports.append(rig.imports / jobs * 1e3)
            take(hand, partial(rig.took, "gbatch_by_hand", scratch, jobs=jobs), rig.calls)
            words = {"jobs": each.jobs, "slots": SLOTS}
            take(each, partial(rig.took, "gbatch_each", scratch, **words), rig.calls)
    rows = figures_of("gbatch", hand, ours, [each], judged=sizes.judged, ratio=None, cpu=CPU_TARGET)
    return [*rows, *_own(ours, requests, imports, sizes)]


def _own(
    ours: Entry, requests: Sequence[float], imports: Sequence[float], sizes: Sizes
) -> list[Figure]:
    if not ours.samples:
        return []
    whole = tuple(cpu + more for cpu, more in zip(ours.cpu, imports, strict=False))
    return [
        Figure(
            case="gbatch",
            what="the same with what the libraries' import takes",
            value=median(whole),
            unit="ms a job",
            target=CPU_TARGET,
            judged=sizes.judged,
            samples=whole,
        ),
        Figure(
            case="gbatch",
            what="Runner, requests to the bucket a job",
            value=median(requests),
            target=REQUESTS_TARGET,
            judged=sizes.judged,
            samples=tuple(requests),
            note="without those of the tasks, which have it mounted",
        ),
        Figure(
            case="gbatch",
            what="Runner, calls of CreateJob",
            value=ours.calls.get("CreateJob", 0),
            target=1,
        ),
    ]
