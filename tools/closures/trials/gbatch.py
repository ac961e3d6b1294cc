"""sched-gbatch alone, without a project."""

import importlib
import sys

from sched_gbatch import GbatchScheduler

from .previews import previewed

if __name__ == "__main__":
    scheduler = GbatchScheduler("gs://bucket/run", project="project", location="us-central1")
    assert str(scheduler.mounted_workdir) == "/mnt/disks/run", scheduler.mounted_workdir
    assert not any(name.startswith("google") for name in sys.modules), "it is loaded too early"
    assert '"remotePath": "bucket/run"' in previewed(scheduler)
    for module in ("cloudpathlib", "google.cloud.batch_v1", "google.cloud.storage"):
        importlib.import_module(module)
