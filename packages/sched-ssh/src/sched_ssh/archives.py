"""Archives of files to a run's folder on a host, and back, on the channel of the script for files."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from sched_core.ports import Ports

from .link import Link
from .staging import Parcel
from .troubles import FilesRefused, HostUnavailable
from .wire import request

if TYPE_CHECKING:
    from asyncssh import SSHClientProcess

__all__ = ["fetch_files", "send_files"]

_PIECE = 1 << 18


async def send_files(link: Link, root: str, parcel: Parcel, ports: Ports) -> None:
    """Bring files into the folder there. Raises HostUnavailable, FilesRefused."""
    name = link.server.name
    size = parcel.archive.seek(0, os.SEEK_END)
    parcel.archive.seek(0)
    async with link.files() as courier:
        courier.stdin.write(request("put", root, size, lists=parcel.digests))
        while piece := await ports.offload(parcel.archive.read, _PIECE):
            courier.stdin.write(piece)
            await courier.stdin.drain()
        answer = await _lines(courier, name)
    there = f"{name}:{root}"
    arrived = _accepted(answer, f"files cannot be brought to {there}", len(parcel.digests))
    for (file, wanted), got in zip(parcel.digests.items(), arrived, strict=True):
        if got not in ("-", wanted):
            raise FilesRefused(f"{file} does not arrive at {there} as it was sent")


async def fetch_files(
    link: Link, root: str, names: Sequence[str], ports: Ports
) -> tuple[IO[bytes], dict[str, str]]:
    """Return an archive of files of the folder there, and the digests of those there are.

    A folder's digest is "-". Raises HostUnavailable, FilesRefused.
    """
    archive: IO[bytes] = tempfile.SpooledTemporaryFile(_PIECE * 64)  # noqa: SIM115  # returned
    try:
        return archive, await _fetch(link, root, names, archive, ports)
    except BaseException:
        archive.close()
        raise


async def _fetch(
    link: Link, root: str, names: Sequence[str], archive: IO[bytes], ports: Ports
) -> dict[str, str]:
    name, mark = link.server.name, secrets.token_hex(16)
    async with link.files() as courier:
        courier.stdin.write(request("get", root, mark, lists=names))
        answer = await _lines(courier, name)
        said = ["0"]
        if answer[0] == "ok":
            said = await _read_archive(courier, name, archive, f"\n{mark} ".encode(), ports)
    problem = f"files cannot be fetched from {name}:{root}"
    kinds = _accepted(answer, problem, len(names))
    # What of a folder did not come, nothing but tar's word can tell; 1: a file changed meanwhile.
    if said[0] not in ("0" if "folder" in kinds else "01"):
        raise _refused(said, problem)
    found = zip(names, kinds, strict=True)
    return {n: k.replace("folder", "-") for n, k in found if k != "none"}


async def _lines(courier: SSHClientProcess[bytes], name: str) -> list[str]:
    """Return an answer up to its empty line."""
    lines: list[str] = []
    while (line := await courier.stdout.readline()) != b"\n":
        if not line.endswith(b"\n"):
            raise HostUnavailable(f"{name}: the connection was lost")
        lines.append(line[:-1].decode("utf-8", "replace"))
    return lines or ["no"]


async def _read_archive(
    courier: SSHClientProcess[bytes], name: str, archive: IO[bytes], mark: bytes, ports: Ports
) -> list[str]:
    """Take in all that comes before the mark; return what is said after it."""
    kept = b""
    while (at := kept.find(mark)) < 0 or not kept.endswith(b"\n"):
        sure = max(len(kept) - len(mark), 0) if at < 0 else at
        if sure:
            await ports.offload(archive.write, kept[:sure])
        piece = await courier.stdout.read(_PIECE)
        if not piece:
            raise HostUnavailable(f"{name}: the connection was lost")
        kept = kept[sure:] + piece
    archive.write(kept[:at])
    return kept[at + len(mark) : -1].decode("utf-8", "replace").split("; ")


def _accepted(answer: Sequence[str], problem: str, number: int) -> Sequence[str]:
    """Return what an answer says of each of so many files. Raises FilesRefused."""
    if answer[0] == "ok" and len(answer) == number + 1:
        return answer[1:]
    raise _refused(answer, problem)


def _refused(answer: Sequence[str], problem: str) -> FilesRefused:
    telling = [line for line in answer[1:] if "Exiting with failure" not in line]
    return FilesRefused(f"{problem}: {'; '.join(telling[-2:])}")
