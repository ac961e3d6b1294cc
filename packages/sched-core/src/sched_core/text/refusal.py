"""What a container engine says when it starts nothing, and what a person does about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.container import EngineKind

__all__ = ["engine_words", "is_away", "is_unavailable", "refusal"]

_MOST_LINES = 3
_MOST_LETTERS = 600

# What clients say besides, of an image that they fetch or of how they are used.
_ASIDES = re.compile(
    r"(See|Run) '.* --help'|Usage:|Unable to find image|Trying to pull|time=\"|WARNING:|INFO:"
    r"|Emulate Docker CLI|(Digest|Status): |\w+: (Pull|Wait|Verif|Download|Already|Extract)"
)

# The next start may succeed, with nothing of the job changed.  As in container.bash.
_AWAY = re.compile(
    r"Cannot connect to|failed to connect to the docker API|error during connect|unexpected EOF"
)
_UNREACHED = re.compile(
    r"connection re(?:fused|set)|i/o timeout|TLS handshake timeout|toomanyrequests"
    r"|Temporary failure in name resolution"
)

_INSTALL = "install it, or name another engine (bin)"
_START = "start it (systemctl start docker), or use another engine: podman, apptainer"
_GROUP = "join its group (usermod -aG docker, then log in again), or use another engine: podman"
_REGISTRY = "the registry is not reached: wait for it, or fetch the image by hand (pull=never)"

_STEPS: Sequence[tuple[str, str]] = (
    (r"exec: [^\"\s]+: (not found|cannot execute)|is not there$", _INSTALL),
    (r"permission denied while trying to connect", _GROUP),
    (r"Cannot connect to|failed to connect to the docker API|error during connect", _START),
    (
        r"could not open image",
        "name a file or a folder that is there, or a place to fetch it from, such as docker://NAME",
    ),
    (r"[Nn]o such image|image not known", "fetch it (pull), or name another image"),
    (
        r"denied: |access .*denied|manifest.* unknown|unauthorized|did not resolve|reference format",
        "correct the image's name, or log in to its registry",
    ),
    (r"no such host|name resolution|connection re(fused|set)|timeout|toomanyrequests", _REGISTRY),
    (
        r"source path does not exist|statfs |mount source .* doesn't exist",
        "make that folder, or correct the volumes",
    ),
    (r"unable to find user", "give the user as UID:GID, or one that the image knows"),
    (
        r"cannot use cgroups|rootless cgroups|cgroups v2",
        "have systemd delegate cgroups v2 to you, or leave memory and cpus out (resources)",
    ),
    (r"[Mm]emory|OOM", "ask for more memory (resources)"),
    (r"Range of CPUs|cpus value", "ask for fewer cpus (resources)"),
    (
        r"device driver|nvidia",
        "install NVIDIA's container toolkit, or leave gpus out (resources)",
    ),
    (
        r"workdir|working directory|chdir|not a directory",
        "have the image hold that folder, or name another (args)",
    ),
    (
        r"exec: \"|exec \S+ failed|failed to exec |FATAL: +stat |executable file not found",
        "name the bash that the image has (entrypoint)",
    ),
    (
        r"unknown (flag|shorthand)|invalid argument|flag needs|network",
        "correct the args (bin_args)",
    ),
    (
        r"job\.wrapped\.\S+: Permission denied",
        "let that user read and write the run's folder (mode), or leave user out",
    ),
    (r"No space left|no space left", "make room where the engine keeps its images"),
)


def engine_words(text: str) -> str:
    """Return what a client said last, without what it says of its own use, on one line."""
    lines = [line.strip() for line in text.splitlines()]
    said = [line for line in lines if line and not _ASIDES.match(line)]
    return "; ".join(said[-_MOST_LINES:])[-_MOST_LETTERS:]


def is_away(text: str) -> bool:
    """Tell whether the engine itself was not reached."""
    return _AWAY.search(text) is not None


def is_unavailable(text: str) -> bool:
    """Tell whether the engine, or a registry, was not reached, rather than refused something."""
    return is_away(text) or _UNREACHED.search(text) is not None


def refusal(kind: EngineKind, text: str) -> str:
    """Return what the client said, and what to do next."""
    words = engine_words(text) or f"{kind} started nothing and said nothing"
    return f"{words}; {_next_step(words)}"


def _next_step(words: str) -> str:
    for pattern, step in _STEPS:
        if re.search(pattern, words):
            return step
    return "`sched doctor container` looks at the engine"
