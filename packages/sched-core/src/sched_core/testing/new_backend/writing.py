"""Writes the new package: a copy of the template under another name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ...errors import OptionError
from .names import Names

__all__ = ["write_package"]

_TEMPLATE = Path(__file__).with_name("template")


def write_package(names: Names, folder: Path) -> Path:
    """Make the package's own folder in that one, whole or not at all, and return it. Raises OptionError."""
    target = folder / names.package
    try:
        target.mkdir()
    except FileExistsError:
        raise OptionError(
            f"{target} is there already: remove it, or name another --folder"
        ) from None
    except OSError as error:
        raise OptionError(f"{target} cannot be made: {error.strerror}; name a --folder") from None
    try:
        _fill(target, names)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError):
            raise OptionError(f"{target} cannot be written: {error.strerror}") from None
        raise
    return target


def _fill(target: Path, names: Names) -> None:
    for path in _files():
        copy = target / names.apply(str(path.relative_to(_TEMPLATE)))
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = names.apply(path.read_text("utf-8"))
        if path.name == "pyproject.toml":
            text = text.replace('"sched-core"', f'"sched-core{core_range(version("sched-core"))}"')
        copy.write_text(text, "utf-8")


def _files() -> Iterator[Path]:
    """Yield the template's files, without what Python or tools have left among them."""
    for folder, below, names in os.walk(_TEMPLATE):
        below[:] = [name for name in below if not name.startswith((".", "__"))]
        yield from (Path(folder, name) for name in names)


def core_range(core: str) -> str:
    """Return the versions of sched-core that are like this one: up to the next that may break things."""
    major, minor = core.split(".")[:2]
    after = f"0.{int(minor) + 1}" if major == "0" else str(int(major) + 1)
    return f">={major}.{minor},<{after}"
