"""What `sched doctor` says of the files of settings."""

from __future__ import annotations

from collections.abc import Iterator

from sched_core.errors import SchedError

from .files import FILE_NAME, FoundFile, find_files, user_file
from .layers import check_scheduler_name, merge_layers, profiles, settings_layers
from .tomltext import parse_document

__all__ = ["check_settings"]


def check_settings() -> Iterator[tuple[str, bool | None, str]]:
    """Tell of each file that is in effect whether it can be used; or that there is none."""
    try:
        found = find_files()
    except SchedError as error:
        yield "settings", False, str(error)
        return
    for file in found:
        yield "settings", *_check_file(file)
    if not found:
        yield (
            "settings",
            True,
            f"none, neither {FILE_NAME} here or above nor {user_file() or 'a home'}",
        )


def _check_file(file: FoundFile) -> tuple[bool | None, str]:
    if file.content is None:
        return None, file.distrust
    try:
        document = parse_document(file.content, str(file))
        check_scheduler_name(merge_layers(settings_layers([document])))
    except SchedError as error:
        return False, str(error)
    names = ", ".join(profiles(document))
    return True, f"{file} is in effect" + (f"; profiles: {names}" if names else "")
