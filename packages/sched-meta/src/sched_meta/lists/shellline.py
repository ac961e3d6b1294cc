"""Lines of shell: run by bash with `pipefail`, the values arriving as arguments, never as code.

A `{}`-form stands for what GNU parallel puts there, wherever bash would expand a variable: outside
of quotes and in double quotes, as one word whatever the value holds. In single quotes and behind a
backslash it stays as it is, as `$1` would. The values are `$1`, `$2`, ... as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sched_core.errors import OptionError

from .bashscan import Scanner
from .replacement import FORM, Form, parse_form

__all__ = ["ShellTemplate", "shell_command"]

# An array: inside a function of the line, $1 would be the function's own argument.
_ARRAY = "_sched_v"


def shell_command(line: str, values: Sequence[str] = ()) -> list[str]:
    """Return the command that runs a line of shell with the values as its arguments."""
    return ["bash", "-o", "pipefail", "-c", line, "bash", *values]


class ShellTemplate:
    """A line of shell with `{}`-forms: one script for all jobs, with other arguments for each."""

    def __init__(self, line: str, sources: int) -> None:
        self._sources = sources
        self._derived: list[Form] = []
        self._line = self._rewrite(line) if sources else line

    def fill(self, values: Sequence[str], number: int) -> list[str]:
        """Return the command for one row of values; `number` is what `{#}` stands for."""
        derived = [text for form in self._derived for text in form.texts(values, number)]
        return shell_command(self._line, [*values, *derived])

    def _rewrite(self, line: str) -> str:
        scanner = Scanner(line)
        pieces: list[str] = []
        end = 0
        for match in FORM.finditer(line):
            context = scanner.context_at(match.start())
            if context == "literal":
                continue
            form = parse_form(match, self._sources, f"write '{match[0]}' in single quotes")
            if context not in ("plain", "quoted"):
                raise OptionError(f'{match[0]} {context}; write "$1" there if that is meant')
            pieces += line[end : match.start()], self._reference(form, context)
            end = match.end()
        if not pieces:
            _check_that_a_value_is_used(line)
            return line
        return self._prelude() + "".join(pieces) + line[end:]

    def _prelude(self) -> str:
        keep = f'set -- "${{@:1:{self._sources}}}"; ' if self._derived else ""
        return f'{_ARRAY}=("$@"); {keep}'

    def _reference(self, form: Form, context: str) -> str:
        first = self._offset(form)
        if self._width(form) > 1:
            every = "*" if context == "quoted" else "@"
            reference = f"${{{_ARRAY}[{every}]:{first}:{self._sources}}}"
        else:
            reference = f"${{{_ARRAY}[{first}]}}"
        return reference if context == "quoted" else f'"{reference}"'

    def _offset(self, form: Form) -> int:
        if not form.part and not form.number:
            return form.place or 0
        if form not in self._derived:
            self._derived.append(form)
        before = self._derived[: self._derived.index(form)]
        return self._sources + sum(map(self._width, before))

    def _width(self, form: Form) -> int:
        return self._sources if form.place is None and not form.number else 1


def _check_that_a_value_is_used(line: str) -> None:
    form = FORM.search(line)
    if form and not re.search(r"\$\{?[#@*1-9]|\bshift\b|\bgetopts\b", line):
        raise OptionError(
            f"{form[0]} stands in single quotes or behind a backslash, where bash expands nothing,"
            f' and the line uses no value otherwise; write "{form[0]}" with double quotes'
        )
