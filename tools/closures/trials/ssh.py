"""sched-ssh alone, without a host."""

import importlib
import sys

from sched_ssh import SshScheduler

from .previews import previewed

if __name__ == "__main__":
    previewed(SshScheduler(sys.argv[1], servers=["node1"]))
    assert "asyncssh" not in sys.modules, "it is loaded before it is used"
    importlib.import_module("asyncssh")
