"""The options of a scheduler, and the folders and mounts that follow from them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import OptionError
from ..model.container import Container
from ..model.job import Job
from ..model.rate import Rate
from ..model.resources import Resources, parse_time
from ..model.secret import refuse_secrets
from ..paths import DEFAULT_MOUNTED_ROOT, MountedPath, MountTable, SpecPath
from ..ports import Ports, system_ports
from ..ports.cache import cache_folder
from .options import (
    ERROR_STRATEGIES,
    HALTS,
    OPTION_ALIASES,
    Halt,
    check_choice,
    check_count,
    refuse_unknown,
    rename_aliases,
)
from .values import check_path, check_prefix, check_text, check_texts, check_variables

if TYPE_CHECKING:
    from ..lifecycle.session import Session

__all__ = ["XQUTE_ENV_ALIASES", "Configured", "SchedulerPostInit"]

XQUTE_ENV_ALIASES: Mapping[str, str] = {
    "XQUTE_JOB_INDEX": "SCHED_JOB_INDEX",
    "XQUTE_METADIR": "SCHED_WORKDIR",
    "XQUTE_JOB_METADIR": "SCHED_JOB_METADIR",
}
"""The variables that code written for the reference reads; pass them as `env_aliases`."""


class SchedulerPostInit:
    """What a host mixes into schedulers of its own."""

    job_class: type[Job] = Job
    """The class of the jobs that `create_job` makes."""

    fs_shared: bool = True
    """Whether the driver sees the files of jobs as they are written."""

    async def init_proc(self, proc: Any) -> None:
        """Called by the host with its own process before the run opens; does nothing here."""


class Configured(SchedulerPostInit, ABC):
    """What a scheduler was told: options, folders, mounts. `Scheduler` documents them."""

    name: ClassVar[str]
    """The name under which it is found, and the suffix of its wrapper scripts."""

    sees_buckets: ClassVar[bool] = False
    """Whether the engine shows a bucket to jobs itself, so that they need no mirror of it."""

    usual_rate: ClassVar[str | None] = None
    """How often its engine may be called by all drivers of a user together, unless the option
    `engine_rate` says otherwise; None where nothing has to be limited."""

    DEFAULT_MOUNTED_ROOT: ClassVar[str] = DEFAULT_MOUNTED_ROOT
    """Where a mount without a target of its own appears to jobs."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset(
        """timeout grace resources container volumes volume_as_cwd env_aliases mode lost_after
        infrastructure_retries mirror halt""".split()
    )
    """The options that are taken as keywords besides the arguments of the constructor."""

    MAY_BE_SECRET: ClassVar[frozenset[str]] = frozenset()
    """Those of the backend's options that may hold a Secret: they are not recorded in full."""

    def __init__(
        self,
        workdir: str | os.PathLike[str],
        forks: int = 1,
        error_strategy: str = "ignore",
        num_retries: int = 3,
        prescript: str = "",
        postscript: str = "",
        jobname_prefix: str | None = None,
        submission_batch: int | None = None,
        recheck_interval: int = 600,
        cwd: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        paths_and_texts = {
            "workdir": workdir,
            "prescript": prescript,
            "postscript": postscript,
            "jobname_prefix": jobname_prefix,
            "cwd": cwd,
        }
        for option, value in (paths_and_texts | kwargs).items():
            if option not in self.MAY_BE_SECRET:
                refuse_secrets(option, value)
        self.workdir = workdir
        self.forks = check_count("forks", forks, 1)
        self.error_strategy = check_choice("error_strategy", error_strategy, ERROR_STRATEGIES)
        self.num_retries = check_count("num_retries", num_retries, 0)
        self.prescript = check_text("prescript", prescript)
        self.postscript = check_text("postscript", postscript)
        self.jobname_prefix = check_prefix("jobname_prefix", jobname_prefix) or self.name
        self.submission_batch = check_count("submission_batch", submission_batch or 8, 1)
        self.recheck_interval = check_count("recheck_interval", recheck_interval, 1)
        self.cwd: str | os.PathLike[str] | None = None if cwd is None else check_path("cwd", cwd)
        self._set_options(rename_aliases(kwargs))

    def _set_options(self, options: dict[str, Any]) -> None:
        self.config: dict[str, Any] = self.take_native_options(
            {name: value for name, value in options.items() if name not in self._own_options()}
        )
        timeout = options.get("timeout")
        self.timeout = None if timeout is None else parse_time(timeout)
        self.grace = parse_time(options.get("grace", 10.0), "grace")
        self.resources = Resources.from_value(options.get("resources"))
        self.container = Container.from_value(options.get("container"))
        self.env_aliases = check_variables("env_aliases", options.get("env_aliases"))
        self.mode = _check_mode(options.get("mode", 0o600))
        self.lost_after = max(120.0, parse_time(options.get("lost_after", 120.0), "lost_after"))
        self.infrastructure_retries = check_count(
            "infrastructure_retries", options.get("infrastructure_retries", 5), 0
        )
        self.halt: Halt = check_choice("halt", options.get("halt", "now"), HALTS)
        self.mirror = _check_folder(options.get("mirror"))
        rate = options.get("engine_rate")
        rate = self.usual_rate if rate is None else rate
        self.engine_rate = None if rate is None else Rate.from_value(rate)
        self.mounts = MountTable()
        self.volumes = check_texts("volumes", options.get("volumes"))
        self.volume_as_cwd = check_text("volume_as_cwd", options.get("volume_as_cwd")) or None

    def take_native_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the engine's own options among those that the base does not know.

        A backend that has some overrides this, and checks what the engine's manual allows.
        Raises OptionError for what is unknown.
        """
        refuse_unknown(self.name, options, self.option_names())
        return {}

    def options(self) -> dict[str, Any]:
        """Return the options as a run's folder records them, fit for JSON; never a secret.

        A new scheduler of the class can be made of them and the work directory.
        """
        recorded = {name: getattr(self, name) for name in _RECORDED}
        recorded["cwd"] = None if self.cwd is None else os.path.abspath(self.cwd)
        recorded["resources"] = self.resources.to_json()
        if self.container is not None:
            recorded["container"] = self.container.to_json()
        if self.engine_rate is not None:
            recorded["engine_rate"] = str(self.engine_rate)
        return recorded | self.config

    @classmethod
    def option_names(cls) -> frozenset[str]:
        """Return the name of every option that the scheduler takes."""
        return _ARGUMENTS | cls._own_options() | frozenset(OPTION_ALIASES)

    @classmethod
    def _own_options(cls) -> frozenset[str]:
        limited = {"engine_rate"} if cls.usual_rate is not None else frozenset[str]()
        return cls.OPTIONS | limited

    @classmethod
    def native_option_names(cls) -> frozenset[str]:
        """Return the names of the engine's own options that are taken besides, where it has some.

        A shell completes them.
        """
        return frozenset()

    @property
    def workdir(self) -> SpecPath:
        """The run's folder, as the driver and as jobs see it."""
        return self._workdir

    @workdir.setter
    def workdir(self, workdir: str | os.PathLike[str]) -> None:
        if not isinstance(workdir, SpecPath) and not check_path("workdir", workdir):
            raise OptionError("workdir is empty: name the folder that is to hold the run")
        self._workdir = SpecPath(workdir)

    @property
    def mounted_workdir(self) -> MountedPath:
        """The run's folder as jobs see it."""
        return self._seen_workdir().mounted

    def _seen_workdir(self) -> SpecPath:
        if (mirror := self.mirror_folder()) is not None:
            return SpecPath(self._workdir, mirror)
        return self.map_path(self._workdir) or self._workdir

    def mirror_folder(self) -> str | None:
        """Return where jobs find the run's folder, if it is in a bucket that they do not see
        themselves: the option `mirror`, or a folder of the user's cache.
        """
        workdir = self._workdir
        if not workdir.is_cloud() or self.sees_buckets:
            return None
        if self.mirror is not None:
            return self.mirror
        return None if self._is_mounted(workdir) else default_mirror(str(workdir))

    def _is_mounted(self, workdir: SpecPath) -> bool:
        mounts = MountTable()
        for volume in self.volumes:
            mounts.add(volume)
        return any(table.map_path(workdir) is not None for table in (self.mounts, mounts))

    def make_ports(self) -> Ports:
        """Return what reaches the run's folder, and its mirror. Raises OptionError."""
        return system_ports(str(self.workdir), self.mode, self.mirror_folder())

    def mount_volumes(self) -> None:
        """Mount what the option `volumes` names. Raises OptionError."""
        for volume in self.volumes:
            self.mounts.add(volume)

    def add_mount(self, spec: str, mounted: str | None = None) -> SpecPath:
        """Let jobs see a folder or bucket; return its root as both sides see it.

        `spec` is "SOURCE:TARGET", "NAME=SOURCE", or a path alone, which appears at `mounted` or
        below `DEFAULT_MOUNTED_ROOT`. Raises OptionError.
        """
        return self.mounts.add(spec, mounted)

    def map_path(self, path: str | os.PathLike[str]) -> SpecPath | None:
        """Return the path with the side that jobs see, None where they cannot see it."""
        return self.mounts.map_path(path)

    @property
    @abstractmethod
    def session(self) -> Session:
        """What is known of the run."""


_ARGUMENTS = frozenset(
    """workdir forks error_strategy num_retries prescript postscript jobname_prefix submission_batch
    recheck_interval cwd""".split()
)


_RECORDED = (
    *sorted(_ARGUMENTS - {"workdir", "cwd"}),
    "timeout",
    "grace",
    "volumes",
    "volume_as_cwd",
    "env_aliases",
    "mode",
    "lost_after",
    "infrastructure_retries",
    "mirror",
    "halt",
)


def default_mirror(workdir: str) -> str:
    """Return the folder of the user's cache that mirrors a run's folder in a bucket."""
    return f"{cache_folder()}/buckets/{workdir.partition('://')[2]}"


def _check_folder(mirror: object) -> str | None:
    if mirror is None:
        return None
    folder = os.fspath(check_path("mirror", mirror))
    if not folder or "://" in folder:
        raise OptionError(f"mirror {folder!r}: give a folder of this machine")
    return os.path.abspath(folder)


def _check_mode(mode: int) -> int:
    if not isinstance(mode, int) or mode & ~0o666 or mode & 0o600 != 0o600:
        raise OptionError(f"mode {mode!r}: give the permissions of files, 0o600 to 0o666")
    return mode
