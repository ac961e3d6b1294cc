"""`sched explain`."""

from __future__ import annotations

import click

__all__ = ["explain"]


_HELP = """Tell all that is known about one JOB, given by its index or name.

\b
sched explain RUN 17
sched explain RUN sample2

Its command, each attempt with times, host and outcome, the last it wrote to stderr, what its engine
says of it, and where its files are.
"""


@click.command(help=_HELP)
@click.argument("run")
@click.argument("job")
def explain(run: str, job: str) -> None:
    from sched_core.errors import OptionError

    from ..asking import engines_words
    from ..reading.history import explanation
    from ..reading.runfolder import existing_run
    from ..reading.selection import select_jobs
    from ..wording import index_ranges

    folder = existing_run(run)
    chosen = select_jobs([job], folder.read().jobs)
    if len(chosen) != 1:
        which = index_ranges([record.index for record in chosen])
        raise OptionError(f"{job!r} is {len(chosen)} jobs ({which or 'none'}); name one")
    lines = [*explanation(folder, chosen[0]), *engines_words(folder, chosen[0])]
    click.echo(folder.redact("\n".join(lines)))
