"""The jobs of `sched run`, from whichever place they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sched_core.errors import OptionError

from .jobspec import JobSpec, Rows, add_environment, specs_from_values
from .listfile import parse_list
from .values import read_bytes, split_command

__all__ = ["Collected", "collect_jobs"]


class Collected(NamedTuple):
    """The jobs, and the name of the run, where `name` was not one for each job."""

    specs: list[JobSpec]
    run_name: str | None = None


def collect_jobs(
    behind: Sequence[str],
    *,
    list_file: str | None = None,
    table: str | None = None,
    shell: bool = False,
    name: str | None = None,
    env: Iterable[str] = (),
    read: Callable[[str], bytes] = read_bytes,
) -> Collected:
    """Return the jobs of a list, or of the command `behind` with its values or those of a table.

    `read` gives the bytes of a file, `-` being standard input. Raises OptionError, CommandError.
    """
    if list_file:
        specs = parse_list(read(list_file), _called(list_file))
        return Collected(add_environment(specs, env), name)
    command, values = split_command(behind, read)
    if table and values.width:
        raise OptionError("--table brings the values; leave out ::: and what stands behind it")
    rows: Rows = _rows_of(table, read) if table else values
    specs = list(specs_from_values(command, rows, shell=shell, name=name))
    named = bool(specs) and specs[0].name is not None
    return Collected(add_environment(specs, env), None if named else name)


def _rows_of(table: str, read: Callable[[str], bytes]) -> Rows:
    from .table import parse_table

    return parse_table(read(table), _called(table))


def _called(source: str) -> str:
    return "standard input" if source == "-" else source
