"""A run is a folder: its format, and how to read one."""

from .journal import Journal
from .layout import SCHEMA_VERSION, Layout
from .lease import HEARTBEAT_INTERVAL, Lease, LeaseRecord, acquire_lease, newest_lease
from .reader import JournalReader, read_journal
from .requests import Request, ask_driver, read_requests, request_is_open
from .runfile import RunFile, find_run, require_run, write_run
from .state import JobRecord, Replay, job_entry, replay, state_entry
from .submissions import AttemptId, Submission, read_submissions, write_submission
from .summary import Summarizer
from .tally import Tally
from .view import RunView, glance_at_run, jobs_that_may_run, read_run

__all__ = [
    "HEARTBEAT_INTERVAL",
    "SCHEMA_VERSION",
    "AttemptId",
    "JobRecord",
    "Journal",
    "JournalReader",
    "Layout",
    "Lease",
    "LeaseRecord",
    "Replay",
    "Request",
    "RunFile",
    "RunView",
    "Submission",
    "Summarizer",
    "Tally",
    "acquire_lease",
    "ask_driver",
    "find_run",
    "glance_at_run",
    "job_entry",
    "jobs_that_may_run",
    "newest_lease",
    "read_journal",
    "read_requests",
    "read_run",
    "read_submissions",
    "replay",
    "request_is_open",
    "require_run",
    "state_entry",
    "write_run",
    "write_submission",
]
