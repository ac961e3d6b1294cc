"""What engines say when they start nothing: its class, in Python and in bash, and the next step."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sched_core.model.container import EngineKind
from sched_core.text.refusal import engine_words, is_away, is_unavailable, refusal
from sched_core.text.script import recorder_text

DAEMON = "docker: Error response from daemon: "
HELP = "\n\nRun 'docker run --help' for more information\n"

# As the engines have said it: Docker 20.10 with a client 28.2, Podman 4.3, Apptainer 1.4.
SAID: Sequence[tuple[EngineKind, str, str]] = [
    ("docker", f"{DAEMON}No such image: nosuch:1{HELP}", "fetch it"),
    ("docker", f"{DAEMON}unable to find user nosuch: no matching entries{HELP}", "UID:GID"),
    (
        "docker",
        f'{DAEMON}invalid mount config for type "bind": bind source path does not exist: /x{HELP}',
        "correct the volumes",
    ),
    ("docker", f"{DAEMON}Minimum memory limit allowed is 6MB{HELP}", "more memory"),
    ("docker", f"{DAEMON}Range of CPUs is from 0.01 to 2.00, as there are{HELP}", "fewer cpus"),
    (
        "docker",
        f'{DAEMON}could not select device driver "" with capabilities: [[gpu]]{HELP}',
        "leave gpus out",
    ),
    (
        "docker",
        (
            f'{DAEMON}failed to create shim task: OCI runtime create failed: exec: "/no/bash": stat '
            f"/no/bash: no such file or directory: unknown{HELP}"
        ),
        "entrypoint",
    ),
    (
        "docker",
        "unknown flag: --nosuch\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]" + HELP,
        "bin_args",
    ),
    ("docker", f"docker: invalid reference format: must be lowercase{HELP}", "image's name"),
    (
        "docker",
        (
            f"Unable to find image 'x/y:1' locally\n{DAEMON}pull access denied for x/y, repository "
            f"does not exist or may require 'docker login': denied: requested access{HELP}"
        ),
        "log in",
    ),
    (
        "docker",
        (
            "docker: permission denied while trying to connect to the Docker daemon socket at "
            f'unix:///var/run/docker.sock: Head "http://x/_ping": dial unix: permission denied.{HELP}'
        ),
        "join its group",
    ),
    ("docker", f"{DAEMON}network nosuch not found{HELP}", "bin_args"),
    ("docker", f'{DAEMON}Get "https://x/v2/": lookup x: no such host{HELP}', "by hand"),
    ("docker", "[FATAL tini (7)] exec /no/bash failed: No such file or directory\n", "entrypoint"),
    (
        "podman",
        "ERROR (catatonit:2): failed to exec pid1: No such file or directory\n",
        "entrypoint",
    ),
    ("podman", "Error: nosuch:1: image not known\n", "fetch it"),
    ("podman", 'Error: short-name "x" did not resolve to an alias\n', "image's name"),
    ("podman", "Error: unable to find user nosuch: no matching entries\n", "UID:GID"),
    ("podman", 'Error: workdir "/no/dir" does not exist on container e4d4\n', "hold that folder"),
    ("podman", "Error: statfs /no/such: no such file or directory\n", "correct the volumes"),
    (
        "podman",
        (
            "Error: OCI runtime error: runc: container init: error setting cgroup config: unable to "
            "set memory limit to 1048576 (current usage: 2400256, peak usage: 2621440)\n"
        ),
        "more memory",
    ),
    ("podman", "Error: unknown flag: --nosuch\nSee 'podman run --help'\n", "bin_args"),
    (
        "apptainer",
        "FATAL:   While checking container encryption: could not open image /no/such.sif: lstat\n",
        "docker://NAME",
    ),
    ("apptainer", "FATAL:   stat /no/bash: no such file or directory\n", "entrypoint"),
    (
        "apptainer",
        (
            "FATAL:   container creation failed: mount /no/such->/x error: while mounting /no/such: "
            "mount source /no/such doesn't exist\n"
        ),
        "correct the volumes",
    ),
    (
        "apptainer",
        (
            "FATAL:   container creation failed: while applying cgroups config: cannot use cgroups - "
            "system is not configured for cgroups v2 in unified mode\n"
        ),
        "delegate",
    ),
    ("apptainer", "FATAL:   cpus value must be in range 0.01 - 2\n", "fewer cpus"),
    ("apptainer", "FATAL:   failed to set working directory: chdir /no/dir\n", "hold that folder"),
    ("apptainer", "/r/0/job.wrapped.local: line 95: exec: apptainer: not found\n", "install it"),
    ("podman", "bash: /r/0/job.wrapped.container: Permission denied\n", "mode"),
    ("docker", "something else\n", "sched doctor container"),
    ("docker", "", "sched doctor container"),
]

AWAY: Sequence[tuple[EngineKind, str, str]] = [
    (
        "docker",
        (
            "docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
            f"daemon running?{HELP}"
        ),
        "systemctl start docker",
    ),
    (
        "docker",
        (
            "docker: failed to connect to the docker API at unix:///var/run/docker.sock; check if the "
            f"path is correct and if the daemon is running{HELP}"
        ),
        "systemctl start docker",
    ),
    ("docker", "docker: unexpected EOF\n", "sched doctor container"),
    (
        "docker",
        (
            f"Unable to find image 'x/y:1' locally\n{DAEMON}toomanyrequests: You have reached your "
            f"pull rate limit.{HELP}"
        ),
        "registry",
    ),
    (
        "podman",
        (
            'Trying to pull x/y:1...\ntime="2026-11-22T22:20:54Z" level=warning msg="Failed, retrying"'
            '\nError: initializing source docker://x/y:1: Get "https://x/v2/": dial tcp 127.0.0.1:1: '
            "connect: connection refused\n"
        ),
        "registry",
    ),
    (
        "apptainer",
        (
            "FATAL:   Unable to handle docker://x/y uri: dial tcp 127.0.0.1:1: connect: connection "
            "refused\n"
        ),
        "registry",
    ),
]


@pytest.mark.parametrize("kind,said,step", [*SAID, *AWAY])
def test_the_engines_words_and_the_next_step(kind: EngineKind, said: str, step: str) -> None:
    reason = refusal(kind, said)
    words, _, next_step = reason.rpartition("; ")
    assert step in next_step
    assert "\n" not in reason
    assert "--help" not in reason
    told = [line for line in said.splitlines() if "rror" in line or "FATAL" in line]
    assert all(line.strip() in words for line in told if "time=" not in line)


def test_only_the_end_of_much_is_told() -> None:
    said = "".join(f"3af7fc1a{n:02d}: Pull complete\n" for n in range(40))
    said += "Digest: sha256:77\nStatus: Downloaded newer image for x/y:1\n"
    assert engine_words(f"{said}docker: at last\n") == "docker: at last"
    assert len(engine_words("much " * 10_000)) <= 600


def judged(folder: Path, said: str, rc: int, more: str = ":") -> tuple[int, str]:
    """Return status and class by the bash of a job's script."""
    (folder / "job.stderr").write_text(said)
    (folder / "recorder").write_bytes(recorder_text())
    script = (
        f". {folder}/recorder; _sched_dir={folder} _sched_rc={rc} _sched_class= _sched_signal= "
        f'_sched_container=(client run); {more}; _sched_judge_engine; echo "$_sched_rc $_sched_class"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    status, _, verdict = done.stdout.rstrip("\n").partition(" ")
    return int(status), verdict


@pytest.mark.parametrize("rc", [1, 125, 126, 127, 255])
@pytest.mark.parametrize("said,away", [(SAID[0][1], False), (AWAY[0][1], True), ("", False)])
def test_nothing_has_started(tmp_path: Path, said: str, away: bool, rc: int) -> None:
    assert judged(tmp_path, said, rc) == (rc, "UNAVAILABLE" if away else "REJECTED")


@pytest.mark.parametrize("said", [said for _, said, _ in [*SAID, *AWAY]])
def test_the_script_judges_as_the_driver_does(tmp_path: Path, said: str) -> None:
    away = said in [said for _, said, _ in AWAY]
    assert is_unavailable(said) is away
    assert not is_away(said) or away
    assert judged(tmp_path, said, 125) == (125, "UNAVAILABLE" if away else "REJECTED")


def test_a_registry_is_not_the_engine() -> None:
    assert [is_away(said) for _, said, _ in AWAY] == [True, True, True, False, False, False]


def test_a_start_that_somebody_ended_is_not_refused(tmp_path: Path) -> None:
    assert judged(tmp_path, "", 137) == (137, "LOST")
    assert judged(tmp_path, "", 143) == (143, "LOST")
    assert judged(tmp_path, "", 125, "_sched_signal=TERM") == (143, "")
    limited = "_sched_container=(client run --memory 1)"
    assert judged(tmp_path, "", 137, limited) == (137, "OUT_OF_MEMORY")
    assert judged(tmp_path, "", 143, limited) == (143, "LOST")
