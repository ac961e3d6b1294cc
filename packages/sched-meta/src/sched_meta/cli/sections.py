"""Options of a command in sections, as its help shows them."""

from __future__ import annotations

from collections.abc import Iterable

import click

__all__ = ["SECTIONS", "format_sections"]

SECTIONS = {
    "What to run": "shell list_file table no_header colsep name env secret_env",
    "Where": "scheduler options workdir forks profile",
    "What each job needs": "cpus memory time gpus",
    "Which jobs": "failures",
    "When jobs fail": "retries on_error max_failures halt",
    "How to run": "resume dry_run detach on_finish",
    "What is shown": "cat as_json no_progress",
}
"""The options by the names of their parameters; what is in none of these comes last."""


def format_sections(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    """Write the help of the options, section by section, in columns that all of them share."""
    options = [p for p in command.get_params(ctx) if isinstance(p, click.Option)]
    rows = {p.name: row for p in options if (row := p.get_help_record(ctx))}
    width = min(max(len(first) for first, _ in rows.values()), _WIDEST)
    for title, names in SECTIONS.items():
        _write(formatter, title, [rows.pop(n) for n in names.split() if n in rows], width)
    _write(formatter, "Other", rows.values(), width)


_WIDEST = 24


def _write(
    formatter: click.HelpFormatter, title: str, rows: Iterable[tuple[str, str]], width: int
) -> None:
    # click measures each list by itself
    if padded := [(first.ljust(width), second) for first, second in rows]:
        with formatter.section(title):
            formatter.write_dl(padded, col_max=width)
