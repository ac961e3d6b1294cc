"""Calls a command and turns whatever it raises into one message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ..console import say
from ..wording import plain
from .exits import FAILED, INTERRUPTED, UNUSABLE, USAGE

__all__ = ["invoke"]


def invoke(command: click.Command, args: Sequence[str]) -> int:
    """Return the exit code of the command; no traceback reaches the user.

    SCHED_DEBUG=1 in the environment lets it through.
    """
    _open_what_is_closed()
    _let_output_hold_any_text()
    try:
        return (
            command.main(list(args), prog_name="sched", standalone_mode=False, obj=tuple(args)) or 0
        )
    except (BrokenPipeError, SystemExit):  # click makes the one of the other
        return 128 + 13
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("SCHED_DEBUG"):
            raise
        code, message = _explain(error)
        say(f"error: {message}")
        return code
    finally:
        _close_output()


def _open_what_is_closed() -> None:
    # Otherwise the next file that is opened would be taken for it, by jobs as well.
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # as long as the process
            if stream.fileno() != descriptor:
                os.dup2(stream.fileno(), descriptor)
            setattr(sys, name, stream)


def _let_output_hold_any_text() -> None:
    # Names of files need not be text in any encoding.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _close_output() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain when it flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: Exception) -> tuple[int, str]:
    if isinstance(error, click.ClickException):
        return USAGE, _usage_message(error)
    code, message = _explain_other(error)
    return code, message if _has_lines(error) else plain(message)


def _has_lines(error: Exception) -> bool:
    """Tell whether it hands on what an engine has said, which may take several lines."""
    from sched_core.errors import BackendError

    return isinstance(error, BackendError)


def _explain_other(error: Exception) -> tuple[int, str]:
    from sched_core import errors
    from sched_core.paths import CloudSupportMissing

    match error:
        case CloudSupportMissing():
            return UNUSABLE, str(error)
        case errors.NoSuchSchedulerError() | errors.WrongSchedulerTypeError():
            return UNUSABLE, f"{error} (`sched schedulers` lists what is installed)"
        case errors.BackendError():
            return UNUSABLE, str(error)
        case errors.RunLocked():
            return USAGE, f"{error} (`sched attach` shows it)"
        case errors.RunHalted():
            return FAILED, str(error)
        case errors.SchedError():
            return USAGE, str(error)
        case OSError() if error.strerror:
            where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
            # A store that cannot be used, or not by this account, is no fault of what was typed.
            code = UNUSABLE if where.startswith("gs://") else USAGE
            return code, f"{where}{error.strerror}"
    return FAILED, (
        f"{type(error).__name__}: {error}; this is a fault of sched's own"
        " (SCHED_DEBUG=1 shows where)"
    )


def _usage_message(error: click.ClickException) -> str:
    message = plain(error.format_message())
    if isinstance(error, click.NoSuchOption):
        near = " or ".join(sorted(error.possibilities or ()))
        hint = f"; did you mean {near}?" if near else ""
        message = plain(f"no such option {error.option_name}{hint}")
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    return f"{message}\nTry '{context.command_path} --help'."
