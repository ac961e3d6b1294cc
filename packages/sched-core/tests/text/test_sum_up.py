"""What a slot reads of its own claim is what a driver would read of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sched_core.text.claim import parse_claim
from sched_core.text.script import recorder_text
from sched_core.text.usage import UNKNOWN, Usage, parse_usage

HEAD = "4711 0 node boot 4700 123456 1795352061.524429\n"
BEFORE = "0m0.001s 0m0.002s\n0m1.000s 0m0.500s\n"
AFTER = "0m0.009s 0m0.009s\n0m2.250s 0m0.750s\n"
INSIDE = "0m0.001s 0m0.001s\n0m7.000s 0m0.500s\n"
ASK = '. "$1"; _sched_claim=$2 _sched_engine=$3 _sched_signal=$4 _sched_used=""; _sched_sum_up; echo "$_sched_used"'


def used(tmp_path: Path, claim: str, engine: str = "", signal: str = "") -> Usage:
    recorder, path = tmp_path / "recorder.bash", tmp_path / "claim"
    recorder.write_bytes(recorder_text())
    path.write_text(claim)
    command = ["bash", "-c", ASK, "bash", str(recorder), str(path), engine, signal]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return parse_usage(said.strip())


@pytest.mark.parametrize(
    "body, engine, signal, expected",
    [
        (f"{BEFORE}P 1 2\n{AFTER}E 0 - 5.0\n", "", "", Usage(1.25, 0.25)),
        (f"{BEFORE}P 1 2\nX\n{AFTER}E 3 EXIT 5.0\n", "", "", Usage(1.25, 0.25)),
        (f"{BEFORE}P 1 2\nT\n{AFTER}G TERM\nE 143 TIMEOUT 5.0\n", "", "TERM", Usage(1.25, 0.25)),
        (f"{BEFORE}P 1 2\nI\n{INSIDE}C 0 -\n{AFTER}E 0 - 5.0\n", "docker", "", Usage(7.0, 0.5)),
        (
            f"{BEFORE}P 1 2\nI\nM 4096\n{INSIDE}C 0 -\n{AFTER}E 0 - 5.0\n",
            "docker",
            "",
            Usage(7.0, 0.5, 4096),
        ),
        (
            f"{BEFORE}P 1 2\nI\nK\nM 4096\n{INSIDE}C 143 -\n{AFTER}G TERM\nE 143 LOST 5.0\n",
            "podman",
            "TERM",
            Usage(7.0, 0.5, 4096),
        ),
        (f"{BEFORE}P 1 2\nI\n{AFTER}E 137 LOST 5.0\n", "docker", "", UNKNOWN),
        ("", "", "", UNKNOWN),
        (BEFORE, "", "", UNKNOWN),
    ],
)
def test_both_say_the_same(
    tmp_path: Path, body: str, engine: str, signal: str, expected: Usage
) -> None:
    claim = parse_claim((HEAD + body).encode())
    assert Usage(claim.user_cpu, claim.system_cpu, claim.max_rss) == expected
    assert used(tmp_path, HEAD + body, engine, signal) == expected


def test_a_full_disk_leaves_nothing_to_be_said(tmp_path: Path) -> None:
    assert used(tmp_path, "") == UNKNOWN
