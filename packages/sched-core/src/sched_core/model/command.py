"""Commands, names, environments and files of jobs: checked before anything is written."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from ..errors import CommandError, OptionError
from .secret import Secret, refuse_secrets

__all__ = [
    "Environment",
    "check_command",
    "check_environment",
    "check_name",
    "check_paths",
    "job_key",
]

Environment = dict[str, str | Secret]
"""The variables of a job."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

# bash(1), "Shell Variables": readonly there, or given another meaning by the shell itself.
_BASH_OWN = frozenset(
    """BASH BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND
    BASH_ENV BASH_EXECUTION_STRING BASH_LINENO BASH_LOADABLES_PATH BASH_REMATCH BASH_SOURCE
    BASH_SUBSHELL BASH_VERSINFO BASH_VERSION COMP_CWORD COMP_KEY COMP_LINE COMP_POINT COMP_TYPE
    COMP_WORDBREAKS COMP_WORDS COPROC DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS
    HISTCMD LINENO MACHTYPE MAPFILE OLDPWD OPTARG OPTIND OSTYPE PIPESTATUS PPID PWD RANDOM
    READLINE_ARGUMENT READLINE_LINE READLINE_MARK READLINE_POINT REPLY SECONDS SHELLOPTS SHLVL
    SRANDOM UID _""".split()
)


# What bash takes in as soon as it is assigned, and tells on stderr where it cannot.
_TOLD_BY_BASH = re.compile(r"IFS|PS4|LANG|LC_\w*|BASH_\w*", re.ASCII)


def check_command(cmd: str | Iterable[object]) -> list[str]:
    """Return the argv of a job: a string is split as a shell would, with no shell involved.

    Arguments are strings; `os.PathLike` and bytes keep their exact bytes, numbers are written out.
    Raises CommandError for what is neither a string nor a list of arguments, for an empty command, and
    for a NUL byte, which no process can be given.
    """
    argv = _split(cmd) if isinstance(cmd, str) else [_argument(part) for part in _listed(cmd)]
    if not argv:
        raise CommandError("the command is empty; give at least a program to run")
    for part in argv:
        _check_bytes(part, "the argument", repr(part))
    return argv


def _check_bytes(text: str, what: str, which: str) -> None:
    if "\0" in text:
        raise CommandError(f"{what} {which} holds a NUL byte, which no process can take")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise CommandError(f"{what} {which} holds half of a character (a lone surrogate)") from None


def _listed(cmd: object) -> Iterable[object]:
    # The members of bytes are numbers, those of a mapping its keys, and those of a set in any order.
    if isinstance(cmd, Iterable) and not isinstance(cmd, bytes | bytearray | Mapping | AbstractSet):
        return cmd
    raise CommandError(
        f"a command is a text or a list of arguments, not {type(cmd).__name__}; "
        "write 'sort data.txt' or ['sort', 'data.txt']"
    )


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise CommandError(f"the command {line!r} cannot be split: {error}") from None


def _argument(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, bytes | os.PathLike):
        return os.fsdecode(part)
    if part is None:
        raise CommandError("the command holds None where an argument should be")
    if isinstance(part, Secret):
        raise CommandError(
            "a secret cannot be an argument, which all users of a machine can see: give it as a "
            "variable, envs={'TOKEN': Secret(...)}, and have the command read that"
        )
    return str(part)


def check_environment(envs: Mapping[str, object] | None) -> Environment:
    """Return the environment of a job, values as strings; secrets stay what they are.

    Raises CommandError for a name that is no variable's, for one that bash keeps to itself
    (it would not reach the command unchanged) and for a NUL byte in a value.
    """
    checked: Environment = {}
    for name, value in (envs or {}).items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise CommandError(
                f"{name!r} is no name of an environment variable: "
                "letters, digits and '_', not starting with a digit"
            )
        if name in _BASH_OWN or name.startswith("_sched_"):
            raise CommandError(f"the variable {name} is kept by the shell; choose another name")
        if isinstance(value, Secret):
            if _TOLD_BY_BASH.fullmatch(name):
                raise CommandError(f"the variable {name} cannot hold a secret: the shell tells it")
            checked[name] = value
            continue
        text = os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value)
        _check_bytes(text, "the value of", name)  # which may be secret itself
        checked[name] = text
    return checked


def check_name(name: str | None) -> str | None:
    """Return the name of a job. Raises CommandError for one that is empty or breaks a line."""
    if name is None:
        return None
    refuse_secrets("a job's name", name)
    if not name or not name.isprintable():
        raise CommandError(f"{name!r} cannot be a job's name: it is empty or not printable")
    return name


def check_paths(what: str, paths: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Return the paths of a job's inputs or outputs. Raises OptionError for what is no list of paths."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise OptionError(f"{what} {paths!r}: give a list of paths, as in {what}=[{paths!r}]")
    paths = tuple(paths)
    refuse_secrets(what, paths)
    checked = tuple(os.fspath(path) for path in paths)
    for path in checked:
        if not isinstance(path, str) or not path or "\0" in path:
            raise OptionError(f"{what}: {path!r} is no name of a file")
    return checked


def job_key(
    cmd: Iterable[str], envs: Mapping[str, str | Secret] | None, secrets: Iterable[str] = ()
) -> tuple[object, ...]:
    """Return what makes two jobs of a run the same one: command and environment, of secrets the names.

    `secrets` are names of further secrets: a record has no more of them.
    """
    known: dict[str, str | None] = dict.fromkeys(secrets)
    for name, value in (envs or {}).items():
        known[name] = None if isinstance(value, Secret) else value
    return tuple(cmd), tuple(sorted(known.items()))
