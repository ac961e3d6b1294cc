"""What one job is to run, before the run knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sched_core.errors import CommandError, OptionError
from sched_core.model.command import (
    Environment,
    check_command,
    check_environment,
    check_name,
)
from sched_core.model.resources import Resources
from sched_core.model.secret import Secret

from .replacement import Grammar, Template, has_forms
from .shellline import ShellTemplate

__all__ = ["JobSpec", "Rows", "add_environment", "specs_from_values"]


@dataclass(slots=True)
class JobSpec:
    """A command with what belongs to it; None leaves a thing to the scheduler."""

    cmd: list[str]
    name: str | None = None
    envs: Environment | None = None
    resources: Resources | None = None
    timeout: float | None = None
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    container: Mapping[str, Any] | str | None = None
    """What is different from the scheduler's own, if it has one."""


class Rows(Protocol):
    """Values for a command, a row a job."""

    @property
    def width(self) -> int:
        """How many values a row has; 0 means that there are none."""

    @property
    def names(self) -> Sequence[str]:
        """What the values are called, where they are called anything."""

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the rows."""


def specs_from_values(
    command: Sequence[str], values: Rows, *, shell: bool = False, name: str | None = None
) -> Iterator[JobSpec]:
    """Yield a job for each row of values, or the one job of a command without values.

    `name` may hold `{}`-forms. Raises OptionError and CommandError.
    """
    template = _template(command, values, shell)
    names = _names(name, values)
    for number, row in enumerate(values.rows(), 1):
        cmd = check_command(template.fill(row, number))
        yield JobSpec(cmd, name=check_name(" ".join(names.fill(row, number))) if names else None)


def _names(name: str | None, values: Rows) -> Template | None:
    if has_forms(name) and not values.width:
        raise OptionError(f"--name {name}: {{}}-forms stand for values, and there are none")
    template = Template([name or ""], values.width, values.names)
    return template if template.has_forms else None


def add_environment(
    specs: list[JobSpec], pairs: Iterable[str], secrets: Mapping[str, Secret] | None = None
) -> list[JobSpec]:
    """Give every job the variables of `--env K=V`, and secrets; what a job has of its own wins.

    Raises OptionError and CommandError.
    """
    variables: dict[str, object] = {**(secrets or {})}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise OptionError(f"--env {pair}: write it as NAME=VALUE")
        if secrets and name in secrets:
            raise OptionError(f"{name} is given by --env and by --secret-env; choose one")
        variables[name] = value
    if shared := check_environment(variables):
        for spec in specs:
            spec.envs = shared | spec.envs if spec.envs else shared
    return specs


def _template(command: Sequence[str], values: Rows, shell: bool) -> Template | ShellTemplate:
    if not command:
        raise CommandError("there is no command behind --")
    if not command[0].strip():
        raise CommandError("the command behind -- is empty; its first word names a program")
    if shell and len(command) > 1:
        raise OptionError(
            f"--shell takes one line, and there are {len(command)} words behind --; quote the line:"
            " sched run --shell -- 'LINE'"
        )
    width, names = values.width, values.names
    template = ShellTemplate(command[0], width, names) if shell else Template(command, width, names)
    if names and not template.has_forms:
        # Columns have names: whoever gives none of them hardly wants all of them behind the command.
        raise OptionError(
            "the command uses no column of the table; write {NAME} where a value belongs, or {}"
            f" for all of them. There are {Grammar(width, names).examples()}"
        )
    return template
