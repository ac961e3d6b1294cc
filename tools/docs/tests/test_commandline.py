"""The page of the command line has all commands, and all of their options."""

from __future__ import annotations

import re

import click
import pytest

from ..commandline import commands, described, options_of

COMMANDS = list(commands())


@pytest.mark.parametrize("name, command, ctx", COMMANDS, ids=[name for name, *_ in COMMANDS])
def test_every_option_of_every_command_is_there(
    name: str, command: click.Command, ctx: click.Context
) -> None:
    sections = re.split(r"^## sched ", described(), flags=re.MULTILINE)
    (section,) = [text for text in sections if text.startswith(f"{name}\n")]
    shown = re.findall(r"^```{option} (.*)$", section, re.MULTILINE)
    words = {word.strip(",") for shape in shown for word in shape.split() if word.startswith("-")}
    options = [p for p in command.get_params(ctx) if isinstance(p, click.Option) and not p.hidden]
    assert words == {word for p in options for word in (*p.opts, *p.secondary_opts)}
    assert len(shown) == len(options_of(command, ctx)) == len(options)


def test_there_are_commands() -> None:
    assert "run" in [name for name, *_ in COMMANDS]


def test_what_is_said_of_a_command_is_text_and_no_markup() -> None:
    assert r"\{2/.\}" in described()
