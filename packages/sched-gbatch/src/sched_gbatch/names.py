"""Names that Google Batch takes: ids of jobs, labels, ids of requests. Pure.

See https://cloud.google.com/batch/docs/reference/rest/v1/projects.locations.jobs/create and
https://cloud.google.com/compute/docs/labeling-resources
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from zlib import crc32

__all__ = ["batch_id", "index_ranges", "label_key", "label_value", "request_id", "task_id"]

_LONGEST = 63
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
_NOT_IN_LABELS = re.compile(r"[^a-z0-9_-]+")
_RESERVED = ("goog-", "google-")


def batch_id(name: str) -> str:
    """Return the id of the Batch job for a submission's name: the same one for the same name.

    At most 63 lower-case letters, digits and '-', which begin with a letter. What is cut out is
    its beginning, the prefix: the run and the submission, at its end, tell it from all others.
    """
    text = _NOT_IN_IDS.sub("-", name.lower()).strip("-")
    text = text[-_LONGEST:].lstrip("-")
    return text if text[:1].isalpha() else f"j{text[-(_LONGEST - 1) :]}"


def label_key(text: str) -> str:
    """Return a key of a label that is like the text. Two texts that differ get two keys."""
    key = _NOT_IN_LABELS.sub("-", text.lower())
    if not key[:1].isalpha() or key.startswith(_RESERVED):
        key = f"x-{key}"
    return _shortened(key, text)


def label_value(text: str) -> str:
    """Return a value of a label that is like the text. Two texts that differ get two values."""
    return _shortened(_NOT_IN_LABELS.sub("-", text.lower()), text)


def _shortened(legal: str, text: str) -> str:
    if legal == text and len(text) <= _LONGEST:
        return text
    # Letters were changed or left out: without a mark two texts could become one.
    mark = f"-{crc32(text.encode('utf-8', 'surrogateescape')):08x}"
    return legal[: _LONGEST - len(mark)] + mark


def index_ranges(indexes: Iterable[int]) -> str:
    """Return jobs' indexes as a label has them, in the order of their tasks: `0-99_120_125-130`."""
    ranges: list[list[int]] = []
    for index in indexes:
        if ranges and index == ranges[-1][1] + 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    return "_".join(f"{a}-{b}" if b > a else f"{a}" for a, b in ranges)


def request_id(name: str) -> str:
    """Return the id of the request that makes the submission's job: a repetition is known by it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sched:{name}"))


def task_id(batch: str, number: int) -> str:
    """Return what a job is called whose task has that number in a Batch job."""
    return f"{batch}/{number}"
