"""The jobs of `sched run`, from whichever place they come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from sched_core.errors import OptionError
from sched_core.model.secret import Secret

from .jobspec import JobSpec, Rows, add_environment, specs_from_values
from .listfile import parse_list
from .replacement import Grammar, has_forms
from .values import read_bytes, split_command

__all__ = ["Collected", "collect_jobs"]

_MOST_JOBS = 10_000_000
_HAVE_FORMS = frozenset("find fd fdfind xargs parallel sched rush".split())


class Collected(NamedTuple):
    """The jobs, and the name of the run, where `name` was not one for each job."""

    specs: list[JobSpec]
    run_name: str | None = None
    note: str = ""
    """What the person should be told who may have meant something else."""


def collect_jobs(
    behind: Sequence[str],
    *,
    list_file: str | None = None,
    table: str | None = None,
    no_header: bool = False,
    colsep: str | None = None,
    shell: bool = False,
    name: str | None = None,
    env: Iterable[str] = (),
    secrets: Mapping[str, Secret] | None = None,
    read: Callable[[str], bytes] = read_bytes,
) -> Collected:
    """Return the jobs of a list, or of the command `behind` with its values or those of a table.

    `read` gives the bytes of a file, `-` being standard input. Raises OptionError, CommandError.
    """
    if list_file:
        specs = parse_list(read(list_file), _called(list_file))
        return Collected(add_environment(specs, env, secrets), name)
    command, values = split_command(behind, read)
    if table and values.width:
        raise OptionError("--table brings the values; leave out ::: and what stands behind it")
    if len(values) > _MOST_JOBS:
        raise OptionError(
            f"the sources of values make {len(values):,} jobs, more than any run can hold;"
            " :::+ links a source with the one before it instead of multiplying"
        )
    rows: Rows = _rows_of(table, read, no_header, colsep) if table else values
    specs = list(specs_from_values(command, rows, shell=shell, name=name))
    named = bool(specs) and specs[0].name is not None
    note = _note_on_header([*command, name or ""], rows, table) if table and not no_header else ""
    if not (shell or rows.width):
        note = _note(command)
    return Collected(add_environment(specs, env, secrets), None if named else name, note)


def _note(command: Sequence[str]) -> str:
    """What to tell of forms in a command without values, which many programs have as well."""
    form = next((word for word in command if has_forms(word)), None)
    if form is None or os.path.basename(command[0]) in _HAVE_FORMS:
        return ""
    return f"there are no values, so {form!r} stays as it is; values come behind :::, or :::: FILE"


def _note_on_header(texts: Iterable[str], rows: Rows, table: str) -> str:
    """What to tell where a table may have no header, since no text needs one."""
    grammar = Grammar(rows.width, rows.names)
    if grammar.names_a_column(texts):
        return ""
    return (
        f"the columns of {_called(table)} are called {grammar.examples()} after its first row,"
        " which is no job; --no-header makes it one"
    )


def _rows_of(table: str, read: Callable[[str], bytes], no_header: bool, colsep: str | None) -> Rows:
    from .table import parse_colsep, parse_table

    between = parse_colsep(colsep) if colsep else None
    return parse_table(read(table), _called(table), header=not no_header, colsep=between)


def _called(source: str) -> str:
    return "standard input" if source == "-" else source
