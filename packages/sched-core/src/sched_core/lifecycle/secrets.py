"""The values of secrets: a file each below `.sched/secrets`, as long as jobs of the run have not ended."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING

from ..errors import OptionError, RunLocked
from ..model.job import Job
from ..model.secret import Redactor, Secret

if TYPE_CHECKING:
    from ..ports.files import Files
    from ..runfolder.layout import Layout
    from .session import Session

__all__ = ["Secrets", "lacking_secret", "read_secrets", "remove_secrets"]

_LONGEST_NAME = 100
_SHORT = 3
"""Characters of a value that others have by chance."""


class Secrets:
    """Settles in which files the secrets of a run's jobs are, and keeps them there.

    Jobs that have the same value under the same name share a file, so that there are few.
    """

    def __init__(self, session: Session) -> None:
        """Keep the secrets of that session."""
        self._session = session
        self.given: Mapping[str, Secret] = {}
        """Values that the host has for secrets of jobs that the run has already, by variable."""
        self._names: dict[tuple[str, str], str] = {}
        """Names of files, by variable and value."""
        self._values: dict[str, str] = {}
        """What is known to be in files, or is to be written into them, by their names."""
        self._new: dict[str, str] = {}
        self.redactor = Redactor()
        """Masks the values that are known here in what an engine or a tool has said."""
        self.were_there = False
        """Whether jobs of earlier drivers had some, of which files may be left."""
        self._taken: set[str] = set()
        """Names of files that jobs refer to."""
        self._numbers: dict[str, Iterator[int]] = {}
        """What is to be tried next where the name of a variable alone is taken."""
        self._variables: set[str] = set()
        self._several: set[str] = set()
        """Variables of which jobs of earlier drivers had different values."""

    # --- jobs ------------------------------------------------------------------------------------

    def settle(self, job: Job) -> dict[str, str]:
        """Settle in which files a job's secrets are, and return their names by variable."""
        secrets = {n: v for n, v in (job.envs or {}).items() if isinstance(v, Secret)}
        if not secrets:
            return {}
        self._variables |= secrets.keys()
        known = job.secrets or {}
        job.secrets = {name: self._file_of(name, value, known) for name, value in secrets.items()}
        return job.secrets

    def _file_of(self, variable: str, secret: Secret, known: Mapping[str, str]) -> str:
        if not secret.is_known:
            return known[variable]
        value = secret.reveal()
        # Another job's file of the same content may have been given to this one earlier.
        if self._values.get(known.get(variable, "")) == value:
            return known[variable]
        if (variable, value) not in self._names:
            self._remember(variable, value, self._free_name(variable))
            self._new[self._names[variable, value]] = value
        return self._names[variable, value]

    def _free_name(self, variable: str) -> str:
        stem = variable[:_LONGEST_NAME]
        # Those before were all taken: each job may have a value of its own.
        numbers = self._numbers.setdefault(stem, count(1))
        names = (stem if number == 1 else f"{stem}.{number}" for number in numbers)
        return next(name for name in names if name not in self._taken)

    def _remember(self, variable: str, value: str, name: str) -> None:
        self._names[variable, value], self._values[name] = name, value
        self._taken.add(name)
        self.redactor.add(value)

    def recall(self, jobs: Iterable[Job], stored: Mapping[str, str]) -> None:
        """Give jobs of earlier drivers the values that their files hold, or that the host has."""
        found = [(job, variable, name) for job in jobs for variable, name in _files_of(job)]
        names: dict[str, set[str]] = {}
        for _, variable, name in found:
            names.setdefault(variable, set()).add(name)
        self._variables |= names.keys()
        self._several = {variable for variable, files in names.items() if len(files) > 1}
        for job, variable, name in found:
            self._recall(job, variable, name, stored)

    def _recall(self, job: Job, variable: str, name: str, stored: Mapping[str, str]) -> None:
        done = self._session.is_done(job)
        if name in stored:
            self._remember(variable, stored[name], name)
            _give(job, variable, Secret(stored[name]))
        elif not done or variable in self._several:
            self._taken.add(name)  # else the next value may have it: one that was replaced
        if variable in self.given and not done:
            _give(job, variable, self.given[variable])

    def require(self, job: Job) -> None:
        """See that all values are there before a job is submitted that an earlier driver has recorded.

        What no file holds comes from the host, or from the variable of that name that this process
        has itself. Raises OptionError, which says which variable to set.
        """
        for variable, value in (job.envs or {}).items():
            if isinstance(value, Secret) and not value.is_known:
                _give(job, variable, self.given.get(variable) or self._own(variable))
        self._note(job)

    def _note(self, job: Job) -> None:
        """Record the job once more where its secrets are in other files now."""
        before = job.secrets
        if self.settle(job) != (before or {}):
            self._session.journal.note_job(job)

    def _own(self, variable: str) -> Secret:
        if variable not in os.environ:
            raise lacking_secret(variable)
        if variable in self._several:
            raise lacking_secret(variable, f"jobs of the run have several values of {variable}")
        return Secret(os.environb[os.fsencode(variable)])

    def renew(self, job: Job, fed: Job) -> None:
        """Give a job that the run has already the values with which it was fed again."""
        for variable, value in (fed.envs or {}).items():
            if isinstance(value, Secret):
                _give(job, variable, value)
        if not self._session.is_done(job):
            self._note(job)

    def values_of(self, job: Job) -> dict[str, str]:
        """Return the values that a job's script looks for, by the names of their files."""
        names = (job.secrets or {}).values()
        return {name: self._values[name] for name in names if name in self._values}

    # --- files -----------------------------------------------------------------------------------

    def take(self) -> dict[str, str]:
        """Return what is to be written now, before anything refers to it."""
        new, self._new = self._new, {}
        return new

    def put_back(self, values: Mapping[str, str]) -> None:
        """Keep what could not be written."""
        self._new = {**values, **self._new}

    def store(self, values: Mapping[str, str]) -> None:
        """Write the files. Blocks; raises OSError."""
        for name, value in values.items():
            path = f"{self._session.layout.secrets}/{name}"
            self._session.ports.files.write_private(path, os.fsencode(value) + b"\0")

    @property
    def are_over(self) -> bool:
        """Whether there were secrets, and no job needs them any more."""
        session = self._session
        if session.unfinished or session.active or session.ousted:
            return False
        had_some = self.were_there or self._taken or self._values
        return bool(had_some) and not any(map(session.goes_on, session.jobs.values()))

    @property
    def are_kept(self) -> bool:
        """Whether files stay for whoever goes on with the run."""
        return bool(self._values) and not self.are_over and not self._session.ousted

    async def tidy(self) -> None:
        """Remove the files if no job needs them any more; warn where that fails."""
        session = self._session
        if not self.are_over:
            return
        try:
            await session.ports.offload(self._remove)
        except RunLocked:
            pass  # they are another driver's now
        except OSError as error:
            session.warn(f"remove {session.layout.secrets} by hand: it cannot be removed: {error}")

    def _remove(self) -> None:
        self._session.check_lease()
        remove_secrets(self._session.ports.files, self._session.layout)

    def withhold(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the driver's own variables without those that are secrets of jobs, by name or value."""
        values = {value for value in self._values.values() if len(value) > _SHORT}
        return {
            name: value
            for name, value in environment.items()
            if name not in self._variables and value not in values
        }


def _files_of(job: Job) -> Iterable[tuple[str, str]]:
    return (job.secrets or {}).items()


def _give(job: Job, variable: str, value: Secret) -> None:
    job.envs = {**(job.envs or {}), variable: value}


def lacking_secret(variable: str, why: str = "") -> OptionError:
    """Return the error of a secret that nobody has the value of."""
    why = why or f"the value of {variable} is a secret, and not recorded with the run"
    return OptionError(
        f"{why}: set the variable {variable} and add --secret-env {variable} "
        f"(secrets={{'{variable}': Secret(...)}})"
    )


def read_secrets(files: Files, layout: Layout) -> dict[str, str]:
    """Return the values that are still there, by the names of their files. Blocks."""
    try:
        names = files.names(layout.secrets)
    except OSError:
        return {}
    contents = files.read_many([f"{layout.secrets}/{name}" for name in names])
    found = zip(names, contents, strict=True)
    return {n: os.fsdecode(data[:-1]) for n, data in found if data and data.endswith(b"\0")}


def remove_secrets(files: Files, layout: Layout) -> None:
    """Remove all files of secrets. Blocks; raises OSError."""
    try:
        names = files.names(layout.secrets)
    except FileNotFoundError:
        return
    files.remove_many([f"{layout.secrets}/{name}" for name in names])
