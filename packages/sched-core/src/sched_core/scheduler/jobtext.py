"""The text of a job: its wrapper script, made of options, hooks and the job itself. Pure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from ..model.container import Container
from ..model.job import Job
from ..model.resources import Resources
from ..model.secret import Secret
from ..paths import Mount, MountTable, parse_mount
from ..ports.localfiles import folder_mode
from ..runfolder.submissions import AttemptId
from ..text.container import ContainerScript, container_script, legal_name
from ..text.script import JobScript, render
from .capabilities import Capabilities
from .wishes import Wishes

__all__ = ["JobText", "attempt_id", "job_token"]


class JobText(Wishes, Capabilities):
    """Makes the text of jobs; a host overrides the `jobcmd_*` methods to add its own."""

    jobcmd_wrapper_init: str = ""
    """Bash that begins the payload of every job."""

    JOBCMD_WRAPPER_LANG: ClassVar[str] = "/bin/bash"
    """What runs the wrapper scripts."""

    def jobcmd_shebang(self, job: Job) -> str:
        """Return the first line of the wrapper script."""
        return f"#!{self.JOBCMD_WRAPPER_LANG}"

    def jobcmd_init(self, job: Job) -> str:
        """Return the bash that begins the payload."""
        return _lines(self.jobcmd_wrapper_init, *self._hook_text("on_jobcmd_init", job))

    def jobcmd_prep(self, job: Job) -> str:
        """Return the bash that comes before the command; it may change the array `cmd`."""
        return _lines(self.prescript, *self._hook_text("on_jobcmd_prep", job))

    def jobcmd_end(self, job: Job) -> str:
        """Return the bash that comes after the command; it sees `rc`."""
        return _lines(*self._hook_text("on_jobcmd_end", job), self.postscript)

    def wrap_job_script(self, job: Job) -> str:
        """Return the wrapper script of the job's present attempt.

        Text keeps bytes that are not UTF-8 (surrogateescape): write it with `os.fsencode`.
        """
        return render(self.job_script(job))

    def job_script(self, job: Job) -> JobScript:
        """Return what the wrapper script of the job's present attempt is made of."""
        session = self.session
        metadir = f"{session.mounted}/{job.index}"
        container = self.container_script(job)
        # A script that runs in two places finds the run's folder from where it lies.
        movable = self.movable or container is not None
        return JobScript(
            index=job.index,
            attempt=job.attempt,
            run=session.run,
            name=job.given_name,
            metadir=metadir,
            recorder=session.mounted_recorder,
            cmd=job.cmd,
            envs=self._environment(job, metadir),
            secrets=session.secrets.settle(job),
            secrets_folder=f"{session.mounted}/.sched/secrets",
            cwd=self.job_cwd(),
            before=_lines(self.jobcmd_init(job), self.jobcmd_prep(job)),
            after=self.jobcmd_end(job),
            timeout=self.time_limit(job),
            grace=self.grace,
            spool=f"{session.mounted}/.sched/events",
            events=self.events,
            jid=self.wrapper_jid,
            host=self.wrapper_host,
            restart=self.wrapper_restart,
            record_umask=f"{0o777 & ~folder_mode(self.mode):03o}",
            shebang=self.jobcmd_shebang(job),
            token=job_token(session.run, job),
            root=session.mounted if movable else "",
            places=self._places(job) if movable else (),
            container=container,
        )

    def container_of(self, job: Job) -> Container | None:
        """Return what the job's command runs in: its own container, or the scheduler's."""
        return job.container or self.container

    def container_script(self, job: Job) -> ContainerScript | None:
        """Return how the job's container is run, None without one. Raises OptionError."""
        container = self.container_of(job)
        if container is None:
            return None
        session = self.session
        return container_script(
            container,
            name=self.container_name(job),
            run=session.run,
            script=self.mounted_script_path(job),
            mounts=self._with_run_folder(self._container_mounts(container)),
            wanted=Resources() if self._is_limited(container) else self.job_resources(job),
        )

    def _is_limited(self, container: Container) -> bool:
        """Tell whether the engine's limits hold inside: other clients have a daemon, or groups of their own."""
        return self.enforces_resources and container.kind == "apptainer"

    def _with_run_folder(self, mounts: MountTable) -> list[Mount]:
        """Have the run's folder seen as well, unless one of the mounts holds it."""
        session = self.session
        if session.mounted != session.folder:
            return list(mounts)
        return [Mount(session.mounted, session.mounted), *mounts]

    def container_name(self, job: Job) -> str:
        """Return what the engine calls the container of the job's present attempt.

        The names of containers that are kept for further jobs begin so.
        """
        container = self.container_of(job)
        kept = container is not None and container.reuse
        whose = "slot" if kept else f"{job.index}-{job.attempt}"
        return legal_name(f"{self.jobname_prefix}-{self.session.run}-{whose}")

    def _container_mounts(self, container: Container) -> MountTable:
        mounts = MountTable()
        for mount in self.mounts:
            mounts.add(mount.resolved(self.session.directory))
        for volume in container.volumes:
            mounts.add(parse_mount(volume).resolved(self.session.directory))
        return mounts

    def script_path(self, job: Job) -> str:
        """Return where the wrapper script lies, as the driver sees it."""
        return f"{self.session.layout.workdir}/{job.index}/job.wrapped.{self.name}"

    def mounted_script_path(self, job: Job) -> str:
        """Return where the wrapper script lies, as the job sees it."""
        return f"{self.session.mounted}/{job.index}/job.wrapped.{self.name}"

    def _environment(self, job: Job, metadir: str) -> dict[str, str]:
        own = {
            "SCHED_JOB_INDEX": str(job.index),
            "SCHED_JOB_NAME": job.name,
            "SCHED_WORKDIR": self.session.mounted,
            "SCHED_JOB_METADIR": metadir,
            "SCHED_ATTEMPT": str(job.attempt),
        }
        for alias, name in self.env_aliases.items():
            own[alias] = own[name]
        if len(self.mounts):
            own |= self.mounts.environment()
        if (container := self.container_of(job)) is not None:
            own |= self._container_mounts(container).environment()
        for name, value in (job.envs or {}).items():
            if not isinstance(value, Secret):
                own[name] = value
        return own

    def _places(self, job: Job) -> set[str]:
        """Name the variables that hold paths of the run's folder, unless the job has its own."""
        own = {"SCHED_WORKDIR", "SCHED_JOB_METADIR"}
        own |= {alias for alias, name in self.env_aliases.items() if name in own}
        return own - (job.envs or {}).keys()

    def job_cwd(self) -> str | None:
        """Return where commands start, as jobs see it; None for where the driver is."""
        if self.cwd is not None:
            mapped = self.map_path(self.cwd)
            return str(mapped.mounted) if mapped is not None else os.fspath(self.cwd)
        return self.volume_as_cwd

    def _hook_text(self, hook: str, job: Job) -> Sequence[str]:
        hooks = self.session.hooks
        return hooks.text(hook, scheduler=self, job=job) if hooks.has(hook) else ()


def attempt_id(job: Job) -> AttemptId:
    """Return the id of the job's present attempt."""
    return AttemptId(job.index, job.attempt)


def job_token(run: str, job: Job) -> str:
    """Return what every process of the job's present attempt carries in its environment."""
    return f"{run}-{job.index}-{job.attempt}"


def _lines(*pieces: str) -> str:
    return "\n".join(piece for piece in pieces if piece)
