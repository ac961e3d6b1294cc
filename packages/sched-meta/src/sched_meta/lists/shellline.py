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
from .replacement import Form, Grammar

__all__ = ["ShellTemplate", "shell_command"]

# An array: inside a function of the line, $1 would be the function's own argument.
_ARRAY = "_sched_v"
_USES_A_VALUE = re.compile(r"\$\{?[#@*1-9]|\bshift\b|\bgetopts\b")


def shell_command(line: str, values: Sequence[str] = ()) -> list[str]:
    """Return the command that runs a line of shell with the values as its arguments."""
    return ["bash", "-o", "pipefail", "-c", line, "bash", *values]


class ShellTemplate:
    """A line of shell with `{}`-forms: one script for all jobs, with other arguments for each."""

    def __init__(self, line: str, sources: int, names: Sequence[str] = ()) -> None:
        self._sources = sources
        self._grammar = Grammar(sources, names)
        self._derived: list[Form] = []
        self.has_forms = bool(_USES_A_VALUE.search(line))
        self._line = self._rewrite(line) if sources else line

    def fill(self, values: Sequence[str], number: int) -> list[str]:
        """Return the command for one row of values; `number` is what `{#}` stands for."""
        derived = [text for form in self._derived for text in form.texts(values, number)]
        return shell_command(self._line, [*values, *derived])

    def _rewrite(self, line: str) -> str:
        scanner = Scanner(line)
        pieces: list[str] = []
        end = 0
        for match in self._grammar.find(line):
            context = scanner.context_at(match.start())
            if context == "literal":
                continue
            form = self._grammar.parse(match, f"write '{match[0]}' in single quotes")
            if context not in ("plain", "quoted"):
                raise OptionError(f"{match[0]} {context}; {_instead(match, form)}")
            pieces += line[end : match.start()], self._reference(form, context)
            end = match.end()
        if not pieces:
            self._check_that_a_value_is_used(line)
            return line
        self.has_forms = True
        return self._prelude() + "".join(pieces) + line[end:]

    def _check_that_a_value_is_used(self, line: str) -> None:
        form = next(self._grammar.find(line), None)
        if form and not self.has_forms:
            raise OptionError(
                f"{form[0]} stands in single quotes or behind a backslash, where bash expands"
                " nothing, and the line uses no value otherwise;"
                f' write "{form[0]}" with double quotes'
            )

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


def _instead(match: re.Match[str], form: Form) -> str:
    name = match["name"]
    if name and match.string[match.start() - 1] == "$":
        return f"write {match[0]} for the column, without $, or ${name} for a variable of bash"
    return f'write "${1 + (form.place or 0)}" there if that is meant'
