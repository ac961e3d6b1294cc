"""The agent and the script for files, talked to as the driver does, on this machine."""

from __future__ import annotations

import io
import os
import random
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sched_core import AttemptId
from sched_core.text.script import recorder_text
from sched_ssh.wire import Ended, command, opening, parse_message, request, script

RECORDS = ("job.claim.1", "job.jid", "job.rc", "job.status", "job.stderr", "job.stdout")
CLAIM = b"1 0 here 0 1 1 0\nE 0 - 1\n"


def ends(tmp_path: Path, stdouts: Mapping[int, bytes | None], locale: str) -> dict[int, Ended]:
    """Have an agent tell of jobs that an earlier one has started, and that have ended."""
    run = tmp_path / "sched-r"
    for index, stdout in stdouts.items():
        folder = run / str(index)
        folder.mkdir(parents=True, exist_ok=True)
        contents = (CLAIM, b"1\n", b"0\n", b"6", b"", stdout)
        for name, content in zip(RECORDS, contents, strict=True):
            if content is not None:
                (folder / name).write_bytes(content)
    text = os.fsdecode(recorder_text())
    asked = request("open", "", "", "", f"{tmp_path}", "sched-r", "recorder", text, "/")
    asked += request("watch", lists=[field for index in stdouts for field in (index, 1)])
    with subprocess.Popen(
        ["sh", "-c", command("mark")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"LC_ALL": locale},
    ) as agent:
        assert agent.stdin is not None
        assert agent.stdout is not None
        agent.stdin.write(opening(script("agent")) + asked)
        agent.stdin.flush()
        found: dict[int, Ended] = {}
        while len(found) < len(stdouts):
            line = agent.stdout.readline()
            assert line.endswith(b"\n"), "the agent has ended"
            assert len(line) <= 4096, "longer than what is written at once"
            if line.startswith(b"E "):
                message = parse_message(line[:-1])
                assert isinstance(message, Ended)
                found[message.attempt.job_index] = message
        agent.stdin.close()
    return found


FILES = [
    b"",
    b"\n",
    b"no newline",
    b"two\n\nlines\n\n",
    "grüße \N{SNOWMAN}\n".encode(),
    b"\\n & \\& \\1 ${HOME} `id` 'x' \"y\" * ?\n",
    b" \t led and trailed \t ",
    b"\r\n" * 100,
    b"x" * 3700,
    b"\xc3(\xff\xfe\n",
    b"\0",
    b"\0\0\n\0",
    b"ends with\0",
    b"\x1d0\x1dd\x1d\x1d\x1d",
    random.Random(1).randbytes(3000),
]


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_short_files_come_with_an_end(tmp_path: Path, locale: str) -> None:
    found = ends(tmp_path, dict(enumerate(FILES)), locale)
    for index, text in enumerate(FILES):
        said = found[index]
        assert (said.attempt, said.rc, said.failure) == (AttemptId(index, 1), 0, None)
        assert list(said.records) == [CLAIM, b"1\n", b"0\n", b"6", b"", text]


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_no_byte_comes_as_another_one(tmp_path: Path, locale: str) -> None:
    texts = {byte: b"<%c%c\n%c>" % (byte, byte, byte) for byte in range(256)}
    found = ends(tmp_path, texts, locale)
    assert {index: said.records[-1] for index, said in found.items()} == texts


def test_what_does_not_fit_is_to_be_fetched(tmp_path: Path) -> None:
    texts = [b"x" * 3900, b"x" * 100_000, bytes(2000), b"x" * 3800 + bytes(60)]
    found = ends(tmp_path, dict(enumerate(texts)), "C.UTF-8")
    for said in found.values():
        assert list(said.records) == [CLAIM, b"1\n", b"0\n", b"6", b"", None]


def test_a_record_that_is_missing_is_to_be_fetched(tmp_path: Path) -> None:
    (tmp_path / "sched-r/0/job.stdout").mkdir(parents=True)
    assert ends(tmp_path, {0: None}, "C")[0].records[-1] is None


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name.encode())
            tar.addfile(info, io.BytesIO(name.encode()))
    return out.getvalue()


def test_files_are_asked_for_one_thing_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    data = archive("one", "two")
    garbage = os.urandom(100_000)
    with subprocess.Popen(
        ["sh", "-c", command("mark")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as files:
        assert files.stdin is not None
        assert files.stdout is not None

        def ask(asked: bytes) -> list[bytes]:
            assert files.stdin is not None
            assert files.stdout is not None
            files.stdin.write(asked)
            files.stdin.flush()
            return list(iter(files.stdout.readline, b"\n"))

        files.stdin.write(opening(script("files")))
        files.stdin.flush()
        assert [files.stdout.readline() for _ in range(2)] == [b"\n", b"mark\n"]
        assert ask(request("put", tmp_path, len(data), lists=["one", "two"]) + data)[0] == b"ok\n"
        refused = ask(request("put", tmp_path, len(garbage), lists=["three"]) + garbage)
        assert refused[0] == b"no\n"
        assert b"KiB were free on the disk" in refused[-1]
        nowhere = ask(request("put", tmp_path / "none", len(data), lists=["one"]) + data)
        assert nowhere[:1] == [b"no\n"]
        assert ask(request("get", tmp_path / "none", "end", lists=["one"]))[0] == b"no\n"
        kinds = ask(request("get", tmp_path, "end", lists=["none", "one", "full"]))
        assert [len(kind) for kind in kinds] == [3, 5, 65, 7]
        came = bytearray()
        while not came.endswith(b"\nend 0; \n"):
            came += files.stdout.read(1)
        with tarfile.open(fileobj=io.BytesIO(came)) as tar:
            assert tar.getnames() == ["one", "full"]
        files.stdin.close()
        assert files.stdout.read() == b""
