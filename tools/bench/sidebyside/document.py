"""What was measured, fit for JSON: a field replaces what the file held of it before."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..measuring import Failed
from ..report import surroundings
from ..sizes import Sizes
from .contender import Contender, Field, Result, take_turns

__all__ = ["SCHEMA", "measured", "merged", "ours_failed", "read"]

SCHEMA = 1

Document = dict[str, Any]


def measured(field: Field, sizes: Sizes, scratch: Path) -> Document:
    """Start an engine, let all take their turns on it, and return what the file says of it."""
    print(f"{field.name} ...", file=sys.stderr, flush=True)
    told = {"name": field.name, "title": field.title, "at_once": field.at_once, "mode": sizes.name}
    around = surroundings()
    began = time.monotonic()
    folder = scratch / field.name
    folder.mkdir()
    rows: list[Document] = []
    failure = ""
    try:
        with field.open(folder) as contenders:
            rows = [_row(each) for each in take_turns(contenders, sizes, folder)]
    except Failed as error:
        failure = str(error)
        print(f"  {failure}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    seconds = round(time.monotonic() - began, 1)
    engine = {"engine": field.versions(), "failure": failure, "seconds": seconds}
    return {**told, **engine, **around, "rows": rows}


_TOLD = ("name", "version", "keeps", "manual", "note", "ours")


def _row(result: Result) -> Document:
    contender: Contender = result.contender
    return {
        **{name: getattr(contender, name) for name in _TOLD},
        "jobs": result.jobs,
        "failure": result.failure,
        "samples": [asdict(each) for each in result.rounds],
    }


def ours_failed(field: Mapping[str, Any]) -> bool:
    """Whether an engine could not be started, or ours did not come to its end there."""
    return bool(field["failure"]) or any(row["failure"] for row in field["rows"] if row["ours"])


def read(file: Path) -> list[Document]:
    """Return the fields of a file, none where there is none."""
    try:
        document = json.loads(file.read_text())
    except FileNotFoundError:
        return []
    fields: list[Document] = document["fields"]
    return fields


def merged(old: Sequence[Document], new: Sequence[Document], order: Sequence[str]) -> Document:
    """Return the whole document: what is new in place of what was known of the same engine."""
    fields = {field["name"]: field for field in (*old, *new)}
    return {"schema": SCHEMA, "fields": [fields[name] for name in order if name in fields]}
