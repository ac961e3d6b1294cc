"""`sched completion`."""

from __future__ import annotations

import click

__all__ = ["completion"]

_HELP = """Print the script by which a shell completes sched.

\b
eval "$(sched completion bash)"            in ~/.bashrc
eval "$(command sched completion zsh)"     in ~/.zshrc, behind compinit
sched completion fish > ~/.config/fish/completions/sched.fish

zsh has a builtin command sched of its own: the script disables it, so that sched is this one.

SHELL is bash, zsh or fish, by default your login shell. Then the TAB key completes commands,
options, runs, jobs by state, failure and name, schedulers, what -o takes, and profiles.
"""


@click.command(help=_HELP)
@click.argument("shell", required=False)
def completion(shell: str | None) -> None:
    import os

    from ..completion.script import SHELLS, completion_script, shell_of
    from .group import sched

    wanted = shell or shell_of(os.environ.get("SHELL", ""))
    if wanted not in SHELLS:
        problem = f"no script for {shell}" if shell else "your login shell is none of these"
        raise click.UsageError(f"{problem}; name one: {', '.join(SHELLS)}")
    click.echo(completion_script(wanted, sched), nl=False)
