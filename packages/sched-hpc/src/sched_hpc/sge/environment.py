"""The driver's environment, for a task to read: an engine might show it to everybody. Pure."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping

__all__ = ["environment_file", "environment_name"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FUNCTION = re.compile(r"BASH_FUNC_[A-Za-z_][A-Za-z0-9_]*%%", re.ASCII)

# bash(1), "Shell Variables": what cannot be set, or is another for each process.
_OF_EACH_SHELL = frozenset(
    """BASHOPTS BASHPID BASH_ARGV0 BASH_VERSINFO DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME
    GROUPS HISTCMD LINENO OLDPWD PPID PWD RANDOM SECONDS SHELLOPTS SHLVL SRANDOM UID _""".split()
)
# They change how the shell goes on that sets them.
_LAST = ("POSIXLY_CORRECT", "BASH_COMPAT", "FUNCNEST", "TMOUT", "EXECIGNORE", "GLOBIGNORE", "IFS")


def environment_file(environment: Mapping[str, str], engines: frozenset[str]) -> bytes:
    """Return `NAME=value` for all that a job shall inherit, each ended by a NUL byte.

    `engines` names what the engine sets for each of its jobs. Bash's exported functions go along.
    """
    names = sorted(
        (name for name in environment if _goes_along(name) and name not in engines),
        key=lambda name: (name in _LAST, name),
    )
    return b"".join(os.fsencode(f"{name}={environment[name]}") + b"\0" for name in names)


def environment_name(content: bytes) -> str:
    """Return the name of that file in the run's folder: equal environments share one."""
    return f"environment.{hashlib.sha256(content).hexdigest()[:16]}"


def _goes_along(name: str) -> bool:
    return bool(_FUNCTION.fullmatch(name)) or (
        bool(_VARIABLE.fullmatch(name)) and name not in _OF_EACH_SHELL
    )
