"""What the scheduler of Google Cloud Batch was told, and the text that follows from it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sched_core import Job, OptionError, Scheduler, SpecPath
from sched_core.model.resources import Resources
from sched_core.model.units import parse_time
from sched_core.scheduler.options import check_count
from sched_core.scheduler.values import check_path
from sched_core.text.script import JobScript

from .definition import Needs, Place, Work, definition
from .fields import JOB_FIELDS, take_fields
from .names import index_ranges, label_key, label_value
from .options import flag, required, runnables, text, words
from .parallelism import Parallelism
from .storing import Scripts

__all__ = ["GbatchConfiguration"]

_PLACE = "service_account network subnetwork machine_type accelerator_type".split()


class GbatchConfiguration(Scheduler):
    """The options of `GbatchScheduler`, which documents them, and the definitions of Batch jobs."""

    OPTIONS: ClassVar[frozenset[str]] = Scheduler.OPTIONS | frozenset(
        """project location service_account network subnetwork no_external_ip_address machine_type
        provisioning_model accelerator_type spot_attempts start_timeout image_uri entrypoint commands
        runnables api_endpoint""".split()
    )

    def __init__(
        self,
        *args: Any,
        project: str | None = None,
        location: str | None = None,
        mount: str | Sequence[str] | None = None,
        service_account: str | None = None,
        network: str | None = None,
        subnetwork: str | None = None,
        no_external_ip_address: bool | None = None,
        machine_type: str | None = None,
        provisioning_model: str | None = None,
        image_uri: str | None = None,
        entrypoint: str | None = None,
        commands: str | Sequence[str] | None = None,
        runnables: Sequence[Mapping[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        if mount is not None:
            kwargs["mount"] = mount
        super().__init__(
            *args,
            project=project,
            location=location,
            service_account=service_account,
            network=network,
            subnetwork=subnetwork,
            no_external_ip_address=no_external_ip_address,
            machine_type=machine_type,
            provisioning_model=provisioning_model,
            image_uri=image_uri,
            entrypoint=entrypoint,
            commands=commands,
            runnables=runnables,
            **kwargs,
        )

    # --- options -----------------------------------------------------------------------------------

    def _set_options(self, options: dict[str, Any]) -> None:
        super()._set_options(options)
        self.project = required(options, "project", "the project's id")
        self.location = required(options, "location", "a region, such as us-central1, or a zone")
        self.api_endpoint = text(options, "api_endpoint")
        self.provisioning_model = (text(options, "provisioning_model") or "").upper() or None
        self.spot_attempts = _optional_count("spot_attempts", options.get("spot_attempts"))
        wait = options.get("start_timeout")
        self.start_timeout = None if wait is None else parse_time(wait, "start_timeout")
        self.place = Place(
            self.location,
            no_external_ip_address=flag(options, "no_external_ip_address"),
            **{name: text(options, name) for name in _PLACE},
        )
        self.work = Work(
            text(options, "image_uri"),
            text(options, "entrypoint"),
            words(options, "commands"),
            runnables(options, "runnables"),
        )
        self._parallelism = Parallelism()
        self._checked: set[Needs] = set()
        self._usual: dict[str | None, Needs] = {}

    @classmethod
    def native_option_names(cls) -> frozenset[str]:
        """Return the fields of a Batch job that may be given."""
        return JOB_FIELDS

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a Batch job. Raises OptionError."""
        return take_fields(options, self.option_names())

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them."""
        work = self.work
        own = {
            "project": self.project,
            "location": self.location,
            "api_endpoint": self.api_endpoint,
            "provisioning_model": self.provisioning_model,
            "spot_attempts": self.spot_attempts,
            "start_timeout": self.start_timeout,
            "image_uri": work.image_uri,
            "entrypoint": work.entrypoint,
            "commands": list(work.commands) if isinstance(work.commands, tuple) else work.commands,
            "runnables": [dict(runnable) for runnable in work.runnables],
        }
        own |= {name: getattr(self.place, name) for name in ("no_external_ip_address", *_PLACE)}
        # A folder of the tasks, or of a bucket: nothing of this machine's.
        own["cwd"] = None if self.cwd is None else os.fspath(self.cwd)
        return super().options() | own

    @property
    def workdir(self) -> SpecPath:
        """The run's folder, as the driver and as tasks see it."""
        return self._workdir

    @workdir.setter
    def workdir(self, workdir: str | os.PathLike[str]) -> None:
        given = isinstance(workdir, SpecPath) or check_path("workdir", workdir)
        path = SpecPath(workdir) if given else None
        if path is None or not str(path).startswith("gs://"):
            raise OptionError(
                f"workdir {'' if path is None else str(path)!r}: the scheduler gbatch "
                "needs a folder in a bucket, 'gs://bucket/run1' (sched run -w gs://bucket/run1)"
            )
        if "\n" in str(path) or "\r" in str(path):
            raise OptionError(f"workdir {str(path)!r}: names in buckets have no line ends")
        self._workdir = path

    def _seen_workdir(self) -> SpecPath:
        """Have the run's folder mounted, unless one of the mounts holds it."""
        seen = self.map_path(self._workdir)
        return seen if seen is not None else self.mounts.add(self._workdir)

    def mount_volumes(self) -> None:
        """Mount what the option `mount` names, and the run's folder. Raises OptionError."""
        super().mount_volumes()
        self._seen_workdir()
        if self._starts_in_bucket():
            self.mounts.add(self.volume_as_cwd or "")

    def _starts_in_bucket(self) -> bool:
        """Tell whether `volume_as_cwd` is a mount itself, not only the place of one."""
        return "gs://" in (self.volume_as_cwd or "")

    def job_cwd(self) -> str | None:
        """Return where commands start, as tasks see it: in the run's folder, unless something else was asked for."""
        if self.cwd is None and self._starts_in_bucket():
            return str(self.mounts.add(self.volume_as_cwd or "").mounted)
        return super().job_cwd() or self.session.mounted

    # --- the text of jobs ----------------------------------------------------------------------------

    def job_script(self, job: Job) -> JobScript:
        """Return what the wrapper is made of: its records lie beside it, on the task's own disk."""
        return replace(super().job_script(job), places=())

    def needs_of(self, job: Job) -> Needs:
        """Return what decides with which others the job can share a Batch job."""
        if job.resources is None and job.timeout is None and not job.raised:
            return self._usual_needs(self._model(job))
        wanted = self.job_resources(job).to_json()
        wanted.pop("time", None)
        return Needs(Resources.from_json(wanted), self.time_limit(job), self._model(job))

    def _usual_needs(self, model: str | None) -> Needs:
        if model not in self._usual:
            wanted = self.resources.after(None).to_json()
            limit = wanted.pop("time", None)
            time = self.timeout if self.timeout is not None else limit
            self._usual[model] = Needs(Resources.from_json(wanted), time, model)
        return self._usual[model]

    def _model(self, job: Job) -> str | None:
        enough = self.spot_attempts is not None and job.infrastructure_retries >= self.spot_attempts
        return "STANDARD" if enough else self.provisioning_model

    def batch_key(self, job: Job) -> object:
        """Return what the job needs: jobs of equal needs share a Batch job."""
        return self.needs_of(job)

    def check_job(self, job: Job) -> None:
        """Refuse a job that Batch cannot run as it is. Raises OptionError."""
        super().check_job(job)
        needs = self.needs_of(job)
        if needs not in self._checked:
            self.definition(needs, tasks=1, parallelism=1)
            self._checked.add(needs)

    def definition(
        self,
        needs: Needs,
        *,
        tasks: int,
        parallelism: int,
        sid: str = "0",
        indexes: Sequence[int] = (),
    ) -> dict[str, Any]:
        """Return the definition of a Batch job, as the REST API spells it. Raises OptionError.

        `indexes` are those of the jobs that its tasks stand for, in their order.
        """
        session = self.session
        labels = {"sched-run": session.run, "sched-submission": sid}
        if indexes:
            labels["sched-jobs"] = index_ranges(indexes)
        return definition(
            needs,
            self.place,
            self.work,
            lang=self.JOBCMD_WRAPPER_LANG,
            script=self.scripts.mounted_path(sid),
            mounts=list(self.mounts),
            labels={label_key(key): label_value(value) for key, value in labels.items()},
            tasks=tasks,
            parallelism=parallelism,
            grace=self.grace,
            fields=self.config,
        )

    @property
    def scripts(self) -> Scripts:
        """Where the scripts of submissions lie."""
        session = self.session
        return Scripts(session.ports.files, session.layout, session.mounted)


def _optional_count(name: str, value: Any) -> int | None:
    return None if value is None else check_count(name, value, 0)
