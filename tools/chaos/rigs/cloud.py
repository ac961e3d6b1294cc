"""Google Batch, emulated: machines, calls, answers and the bucket fail."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from ..faults import Fault
from ..plan import Size
from ..rig import Rig
from .engines import engine_class, started

__all__ = ["gbatch"]

_BUCKET = "runs"
_SLOTS = 8


@contextmanager
def gbatch(root: Path) -> Iterator[Rig]:
    """Start both emulators; tasks see the bucket as a folder."""
    store = root / "store"
    with engine_class("gbatch.storage:StorageEmulator")(store, _BUCKET) as storage:
        make = partial(
            engine_class("gbatch.batch:BatchEmulator"), store, root / "batch", slots=_SLOTS
        )
        with started(make) as batch:
            yield Rig(
                "gbatch",
                Size(120, _SLOTS, 40.0),
                {
                    **os.environ,
                    "STORAGE_EMULATOR_HOST": storage.url,
                    "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
                },
                options={
                    "project": "p",
                    "location": "us-central1",
                    "api_endpoint": f"http://{batch.address}",
                },
                faults=lambda run: _faults(batch, storage),
                left=lambda run: _running(batch, run),
                place=lambda name: (f"gs://{_BUCKET}/{name}/run", store / _BUCKET / name / "run"),
            )


def _faults(batch: Any, storage: Any) -> Mapping[str, Fault]:
    troubles = engine_class("gbatch.troubles:Troubles")(batch, storage)
    lossy = {"machine lost": troubles.lose_machine}
    found = {name: Fault(_once(act), loses=True) for name, act in lossy.items()}
    others = {
        "answer lost": troubles.lose_answer,
        "call failed": troubles.fail_call,
        "bucket failed": troubles.fail_bucket,
        "bucket late": troubles.delay_bucket,
    }
    return found | {name: Fault(_once(act)) for name, act in others.items()}


def _once(act: Any) -> Any:
    def begin(chance: Random) -> None:
        act(chance)

    return begin


def _running(batch: Any, run: str) -> list[str]:
    """Return the Batch jobs of a run that have not ended."""
    ended = ("SUCCEEDED", "FAILED", "CANCELLED")
    return [
        f"{name} {state}"
        for name, state in batch.jobs().items()
        if run in name and state not in ended
    ]
