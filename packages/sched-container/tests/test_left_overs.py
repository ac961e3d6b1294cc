"""Containers of a run that are there when it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_container.engine import engine_of
from sched_core import SubmitRejected
from sched_core.model.container import Container

_CLIENT = """\
#!/bin/sh
echo "$@" >>{calls}
case "$1 $2" in
  'container list') printf '%s\\n' aaa bbb ;;
  'container inspect') echo "Error: No such container: $3" >&2; exit 1 ;;
  'container rm') echo '{said}' >&2; exit {status} ;;
esac
"""


class Client:
    def __init__(self, folder: Path, said: str = "", status: int = 0) -> None:
        self._calls = folder / "calls"
        program = folder / "docker"
        program.write_text(_CLIENT.format(calls=self._calls, said=said, status=status))
        program.chmod(0o755)
        self.engine = engine_of(Container(image="img", engine=str(program)))

    @property
    def calls(self) -> list[str]:
        return [line.split(" --filter")[0] for line in self._calls.read_text().splitlines()]


_LIST = "container list -q --no-trunc --all"


def test_t20_they_are_removed_by_two_questions_in_all(tmp_path: Path) -> None:
    client = Client(tmp_path)
    client.engine.clear("run")
    assert client.calls == [_LIST, "container rm --force aaa bbb"]


def test_one_that_goes_meanwhile_is_nobodys_fault(tmp_path: Path) -> None:
    client = Client(tmp_path, "Error: No such container: aaa", 1)
    client.engine.clear("run")
    client.engine.clear("run", lambda name: False)
    inspected = ["container inspect aaa", "container inspect bbb"]
    assert client.calls == [_LIST, "container rm --force aaa bbb", _LIST, *inspected]


def test_one_that_the_engine_is_removing_is_left_to_it(tmp_path: Path) -> None:
    said = "Error response from daemon: removal of container aaa is already in progress"
    Client(tmp_path, said, 1).engine.clear("run")


def test_t20_one_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    said = "Error: No such container: aaa\nError response from daemon: device or resource busy"
    client = Client(tmp_path, said, 1)
    with pytest.raises(SubmitRejected, match="device or resource busy"):
        client.engine.clear("run")
