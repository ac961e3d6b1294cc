"""sched-container alone, without an engine."""

import importlib
import sys

from sched_container import ContainerScheduler

from .previews import previewed

if __name__ == "__main__":
    scheduler = ContainerScheduler(sys.argv[1], image="debian:12", bin="podman")
    script = previewed(scheduler)
    assert "podman run" in script, script
    assert "debian:12" in script, script
    assert "python_on_whales" not in sys.modules, "it is loaded before it is used"
    importlib.import_module("python_on_whales")
