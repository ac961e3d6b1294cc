"""`--secret-env NAME`: values from this process's own environment, which nobody else sees."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sched_core.errors import OptionError
from sched_core.model.command import check_environment
from sched_core.model.secret import Secret

if TYPE_CHECKING:
    from sched_core.runfolder import JobRecord

    from ..reading.runfolder import RunFolder

__all__ = ["check_that_known", "secrets_of"]


def secrets_of(names: Iterable[str]) -> Mapping[str, Secret]:
    """Return the values of these variables. Raises OptionError, CommandError."""
    return {name: _secret(name) for name in names}


def _secret(name: str) -> Secret:
    if "=" in name:
        variable = name.partition("=")[0]
        raise OptionError(
            f"--secret-env {variable}=...: give the name alone, since all users of a machine see what is "
            f"typed here; its value is that of the variable {variable}"
        )
    check_environment({name: Secret("")})
    if name not in os.environ:
        raise OptionError(
            f"--secret-env {name}: there is no variable {name}; set it, unseen, with "
            f"read -rs {name} && export {name}"
        )
    return Secret(os.environb[os.fsencode(name)])


def check_that_known(
    folder: RunFolder, jobs: Iterable[JobRecord], given: Mapping[str, Secret]
) -> None:
    """Refuse to run jobs again whose secrets nobody has the values of any more. Raises OptionError."""
    wanted = {pair for job in jobs for pair in (job.secrets or {}).items()}
    wanted = {pair for pair in wanted if pair[0] not in given and pair[0] not in os.environ}
    if not wanted:
        return
    from sched_core.lifecycle.secrets import lacking_secret, read_secrets

    stored = read_secrets(folder.files, folder.layout)
    for variable, name in sorted(wanted):
        if name not in stored:
            raise lacking_secret(variable)
