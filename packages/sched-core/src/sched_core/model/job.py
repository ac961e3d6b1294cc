"""A job: one command, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..paths import SpecPath
from .command import Environment, check_command, check_environment, check_name
from .container import Container
from .failure import Failure
from .resources import Resources
from .status import JobStatus

__all__ = ["Job"]

NO_RC = -9
"""What `Job.get_rc` says when there is no return code."""


class Job:
    """One command of a run. A plain class, made to be subclassed (`Scheduler.job_class`).

    `index` names the job within its run and its folder, `metadir`. `attempt` counts submissions
    from 1 on and names files; `trial_count` counts the retries charged to `num_retries`.
    Of the present attempt, `queued`, `submitted`, `started` and `ended` are seconds since 1970, `cpu`
    is what processors have spent on it in seconds, `max_rss` the most memory that it had in bytes;
    None is what is not known, or not yet. It was `submitted` when that was recorded, just before its
    engine was called: the engine may say that it has it after it has started.
    `envs` are the variables that it gets besides those of its surroundings; a value may be a Secret, and
    `secrets` names the files of the run that hold these, by variable, once that is settled.
    `raised` is what later attempts were given more of, as in {"memory": 8589934592}, since an earlier
    one had too little; see `Resources`. A host may create a job without a command and fill it in before it is fed.
    """

    __slots__ = (
        "__weakref__",
        "_cmd",
        "_container",
        "_name",
        "attempt",
        "context",
        "cpu",
        "ended",
        "envs",
        "error_retry",
        "failure",
        "host",
        "index",
        "infrastructure_retries",
        "inputs",
        "jid",
        "max_rss",
        "num_retries",
        "outputs",
        "queued",
        "raised",
        "rc",
        "reason",
        "resources",
        "restart",
        "secrets",
        "started",
        "status",
        "submitted",
        "timeout",
        "trial_count",
        "will_retry",
        "workdir",
    )

    def __init__(
        self,
        index: int,
        cmd: str | Iterable[object] | None,
        workdir: SpecPath,
        error_retry: bool | None = None,
        num_retries: int | None = None,
        envs: Mapping[str, object] | None = None,
    ) -> None:
        """Create a job of the run in `workdir`; `cmd` and `envs` are checked.

        `error_retry` and `num_retries` override what the scheduler does after a failure.
        Raises CommandError.
        """
        self.index = index
        self.workdir = workdir
        self.error_retry = error_retry
        self.num_retries = num_retries
        self.envs: Environment | None = check_environment(envs) or None
        self.secrets: dict[str, str] | None = None
        self._cmd: list[str] | None = None
        if cmd:
            self.cmd = cmd
        self._name: str | None = None
        self.status = JobStatus.INIT
        self.attempt = 1
        self.trial_count = 0
        self.infrastructure_retries = 0
        self.restart = 0
        self.jid: str | None = None
        self.rc: int | None = None
        self.failure: Failure | None = None
        self.reason = ""
        self.will_retry = False
        self.host: str | None = None
        self.queued: float | None = None
        self.submitted: float | None = None
        self.started: float | None = None
        self.ended: float | None = None
        self.cpu: float | None = None
        self.max_rss: int | None = None
        self.resources: Resources | None = None
        self.raised: dict[str, float] | None = None
        self.timeout: float | None = None
        self.inputs: tuple[str, ...] = ()
        self.outputs: tuple[str, ...] = ()
        self._container: Container | None = None
        self.context: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.index} {self.status.name} attempt {self.attempt}>"

    @property
    def container(self) -> Container | None:
        """What the command runs in; an image or a mapping is taken for one. Raises OptionError."""
        return self._container

    @container.setter
    def container(self, value: Container | Mapping[str, Any] | str | None) -> None:
        self._container = Container.from_value(value)

    @property
    def cmd(self) -> list[str]:
        """The argv; empty while a host has not filled it in. A string is split, not run by a shell."""
        return self._cmd or []

    @cmd.setter
    def cmd(self, cmd: str | Iterable[object]) -> None:
        self._cmd = check_command(cmd)

    @property
    def name(self) -> str:
        """The job's name; its index where it was given none."""
        return self._name if self._name is not None else str(self.index)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = check_name(name)

    @property
    def given_name(self) -> str | None:
        """The name that the job was given, None for none."""
        return self._name

    @property
    def metadir(self) -> SpecPath:
        """The folder of the job's records."""
        return self.workdir / str(self.index)

    @property
    def stdout_file(self) -> SpecPath:
        """What the command wrote to its standard output."""
        return self.metadir / "job.stdout"

    @property
    def stderr_file(self) -> SpecPath:
        """What the command wrote to its standard error."""
        return self.metadir / "job.stderr"

    @property
    def status_file(self) -> SpecPath:
        """The number of the job's state, for people and hosts."""
        return self.metadir / "job.status"

    @property
    def rc_file(self) -> SpecPath:
        """The command's return code, for people and hosts."""
        return self.metadir / "job.rc"

    @property
    def jid_file(self) -> SpecPath:
        """The job's id in the engine, for people and hosts."""
        return self.metadir / "job.jid"

    @property
    def retry_dir(self) -> SpecPath:
        """The folder that keeps the files of earlier attempts, a folder each."""
        return self.metadir / "job.retry"

    async def get_rc(self) -> int:
        """Return the return code, -9 when there is none."""
        if self.rc is not None:
            return self.rc
        return await _read_number(self.rc_file, NO_RC)

    async def set_rc(self, rc: int | str) -> None:
        """Set the return code and write it to `rc_file`."""
        self.rc = int(rc)
        await self.rc_file.write_text(f"{self.rc}\n")

    async def get_jid(self) -> str | None:
        """Return the job's id in the engine, None when it has none yet."""
        if self.jid is not None:
            return self.jid
        try:
            return (await self.jid_file.read_text()).split("\n", 1)[0].strip() or None
        except OSError:
            return None

    async def set_jid(self, jid: int | str) -> None:
        """Set the job's id in the engine and write it to `jid_file`."""
        self.jid = str(jid)
        await self.jid_file.write_text(self.jid)

    async def get_status(self, refresh: bool = False) -> JobStatus:
        """Return the state; with `refresh`, the later one of the driver's and `status_file`'s."""
        if not refresh:
            return self.status
        return JobStatus(max(self.status, await _read_number(self.status_file, self.status)))

    async def set_status(self, status: int) -> None:
        """Set the state and write it to `status_file`.

        This moves nothing and fires no hook: `Scheduler.transition_job_status` does.
        """
        self.status = JobStatus(status)
        await self.status_file.write_text(str(int(status)))


async def _read_number(path: SpecPath, otherwise: int) -> int:
    try:
        return int((await path.read_text()).split()[0])
    except (OSError, ValueError, IndexError):
        return otherwise
