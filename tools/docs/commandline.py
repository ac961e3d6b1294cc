"""The page of the command line, made of click's commands: all of them, and all of their options."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

__all__ = ["commands", "described", "options_of"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~])")


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield each command of `sched` by its name, with what click needs to tell of it."""
    from sched_meta.cli.group import sched

    root = click.Context(sched, info_name="sched")
    for name in sched.list_commands(root):
        command = sched.get_command(root, name)
        assert command is not None
        yield name, command, click.Context(command, parent=root, info_name=name)


def described() -> str:
    """Return all commands as Markdown: a section each, with a target for every option."""
    return "\n".join(line for _, command, ctx in commands() for line in _section(command, ctx))


def options_of(command: click.Command, ctx: click.Context) -> dict[str, tuple[str, str]]:
    """Return what an option looks like and what it does, by the name of its parameter."""
    options = [p for p in command.get_params(ctx) if isinstance(p, click.Option) and p.name]
    return {str(p.name): row for p in options if (row := p.get_help_record(ctx))}


def _section(command: click.Command, ctx: click.Context) -> Iterator[str]:
    yield f"## {ctx.command_path}"
    yield ""
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    yield from _fenced("text", usage)
    yield from _prose(command.help or "")
    yield from _fenced("{program}", "", argument=ctx.command_path)
    for title, rows in _by_section(options_of(command, ctx)):
        yield f"**{title}**"
        yield ""
        for shape, text in rows:
            yield from _fenced("{option}", _plain(text), argument=shape)


def _fenced(kind: str, text: str, *, argument: str = "") -> Iterator[str]:
    yield f"```{kind} {argument}".rstrip()
    yield from text.splitlines()
    yield "```"
    yield ""


def _prose(text: str) -> Iterator[str]:
    r"""Give paragraphs that click leaves as they are, behind \b, as blocks."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.lstrip().startswith("\b"):
            yield from _fenced(
                "text",
                paragraph.lstrip("\b \n") if "\n  " not in paragraph else paragraph.strip("\b\n"),
            )
        else:
            yield _plain(paragraph)
            yield ""


def _plain(text: str) -> str:
    """Return text in which Markdown sees nothing but text."""
    return _SPECIAL.sub(r"\\\1", text)


def _by_section(
    options: dict[str, tuple[str, str]],
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    from sched_meta.cli.sections import SECTIONS

    for title, names in SECTIONS.items():
        if found := [options.pop(name) for name in names.split() if name in options]:
            yield title, found
    yield "Other", list(options.values())
