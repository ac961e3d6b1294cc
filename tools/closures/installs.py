"""What is installed, each alone, and what has to hold there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["INSTALLS", "Install"]

_SMALL = ("anyio", "pluggy", "typing-extensions")


@dataclass(frozen=True, slots=True)
class Install:
    """One `pip install`, into an environment that holds nothing else."""

    requirement: str
    trial: str
    """The module of `trials` that uses it as somebody would who has only that."""
    imports: str
    """The import whose time is told."""
    siblings: Sequence[str] = ("sched-core",)
    """Packages of ours that it brings, besides itself."""
    loads: Sequence[str] = _SMALL
    """Packages of others that the import may load; none may be heavy."""
    schedulers: Sequence[str] = ()
    """The names under which its schedulers are found."""
    on_first_use: Mapping[str, str] = field(default_factory=dict)
    """Modules that it loads only when they are needed, with what the table calls them."""
    most_packages: int | None = None
    most_megabytes: float | None = None

    @property
    def package(self) -> str:
        return self.requirement.partition("[")[0]

    @property
    def modules(self) -> Sequence[str]:
        """The modules of ours that come with it."""
        return [name.replace("-", "_") for name in (self.package, *self.siblings)]


_COMMAND = "from sched_meta.cli.group import sched"

INSTALLS = (
    Install(
        "sched-core",
        trial="core",
        imports="from sched_core import Runner, Scheduler",
        siblings=(),
        most_packages=6,
        most_megabytes=5,
    ),
    Install(
        "sched-local",
        trial="local",
        imports="from sched_local import LocalScheduler",
        schedulers=("local",),
    ),
    Install(
        "sched-hpc",
        trial="hpc",
        imports="from sched_hpc import SgeScheduler, SlurmScheduler",
        schedulers=("sge", "slurm"),
    ),
    Install(
        "sched-ssh",
        trial="ssh",
        imports="from sched_ssh import SshScheduler",
        schedulers=("ssh",),
        on_first_use={"asyncssh": "asyncssh"},
    ),
    Install(
        "sched-container",
        trial="container",
        imports="from sched_container import ContainerScheduler",
        schedulers=("container",),
        on_first_use={"python-on-whales": "python_on_whales"},
    ),
    Install(
        "sched-gbatch",
        trial="gbatch",
        imports="from sched_gbatch import GbatchScheduler",
        schedulers=("gbatch",),
        on_first_use={
            "Google's clients": "google.cloud.batch_v1, google.cloud.storage, cloudpathlib"
        },
    ),
    Install(
        "sched-meta",
        trial="meta",
        imports=_COMMAND,
        siblings=("sched-core", "sched-local"),
        loads=("click",),
        schedulers=("local",),
        on_first_use={
            "`run` on a terminal": "rich.live",
            "`report`": "jinja2",
            "`top`": "textual.app",
        },
    ),
    Install(
        "sched-meta[all]",
        trial="everything",
        imports=_COMMAND,
        siblings=tuple(f"sched-{name}" for name in "container core gbatch hpc local ssh".split()),
        loads=("click",),
        schedulers=("container", "gbatch", "local", "sge", "slurm", "ssh"),
    ),
)
