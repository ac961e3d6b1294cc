"""The scripts that tell a shell how to complete `sched`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sched_core.errors import OptionError

from . import VARIABLE

if TYPE_CHECKING:
    import click

__all__ = ["SHELLS", "completion_script", "shell_of"]

SHELLS = ("bash", "zsh", "fish")

_BASH_ADDS = "COMPREPLY+=($value)"
# The value of an option follows its equals sign at once.
_BASH_KEEPS_EQUALS = f"{_BASH_ADDS}\n            [[ $value == *= ]] && compopt -o nospace"
# zsh has a builtin of that name, which hardly anybody uses, and it would be run instead.
_ZSH_START = "disable sched 2>/dev/null\n"


def completion_script(shell: str, command: click.Command) -> str:
    """Return the script for bash, zsh or fish that completes the command `sched`."""
    from click.shell_completion import get_completion_class

    cls = get_completion_class(shell)
    if cls is None:
        raise OptionError(f"no script for {shell}; there are {', '.join(SHELLS)}")
    source = cls.source_template % cls(command, {}, "sched", VARIABLE).source_vars()
    if shell == "bash":
        return source.replace(_BASH_ADDS, _BASH_KEEPS_EQUALS)
    return source.replace("\n\n", f"\n\n{_ZSH_START}\n", 1) if shell == "zsh" else source


def shell_of(path: str) -> str | None:
    """Return the shell that a login shell's path means, None for another one."""
    name = path.rpartition("/")[2]
    return name if name in SHELLS else None
