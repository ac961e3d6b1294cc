from __future__ import annotations

from pathlib import Path

import pytest

from sched_core.ports.localfiles import LocalFiles
from sched_core.runfolder import Layout, ask_driver, read_requests, request_is_open

FILES = LocalFiles()


def test_a_request_is_read_until_it_is_answered(layout: Layout) -> None:
    asked = ask_driver(FILES, layout, "kill", (3, 5))
    assert request_is_open(FILES, asked)
    (found,) = read_requests(FILES, layout)
    assert (found.verb, found.jobs, found.path) == ("kill", (3, 5), asked.path)
    FILES.remove(found.path)
    assert not request_is_open(FILES, asked)
    assert read_requests(FILES, layout) == []


def test_none_stands_for_all_jobs(layout: Layout) -> None:
    ask_driver(FILES, layout, "retry", None)
    (found,) = read_requests(FILES, layout)
    assert (found.verb, found.jobs) == ("retry", None)


def test_a_retry_may_ask_for_other_resources(layout: Layout) -> None:
    ask_driver(FILES, layout, "retry", (1,), {"memory": 8})
    (found,) = read_requests(FILES, layout)
    assert (found.verb, found.jobs, found.resources) == ("retry", (1,), {"memory": 8})


def test_requests_do_not_replace_each_other(layout: Layout) -> None:
    for index in range(5):
        ask_driver(FILES, layout, "kill", (index,))
    assert {request.jobs for request in read_requests(FILES, layout)} == {(i,) for i in range(5)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"jobs": [1]}',
        '{"verb": "kill", "jobs": ["x"]}',
        '{"verb": "retry", "resources": 3}',
    ],
)
def test_one_that_makes_no_sense_is_dropped(layout: Layout, text: str) -> None:
    path = Path(layout.requests, "x.json")
    path.write_text(text)
    asked = ask_driver(FILES, layout, "kill", (1,))
    assert [request.path for request in read_requests(FILES, layout)] == [asked.path]
    assert not path.exists()


def test_one_that_is_being_written_is_left_alone(layout: Layout) -> None:
    path = Path(layout.requests, "x.json.new")
    path.write_text("{")
    assert read_requests(FILES, layout) == []
    assert path.exists()
