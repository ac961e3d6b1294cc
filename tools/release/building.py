"""The files that are uploaded, made from a commit, with a README that an index can show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from posixpath import normpath
from tempfile import TemporaryDirectory

from .history import Git, Refused

__all__ = ["build", "for_index", "unpack", "wheel_of"]

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<to>(?!\w+:|#)[^)\s]+)\)")
_PICTURE = re.compile(
    r'(?P<tag><(?:img|source)\b[^>]*?\bsrc(?:set)?=")(?P<to>(?!\w+:)[^"]+)(?P<rest>"[^>]*>)'
)
_FENCED = re.compile(r"(?ms)^(`{3,}).*?^\1`*$")


def for_index(readme: str, folder: str, address: str | None) -> str:
    """Return a README whose links hold outside of the repository.

    `address` is where the repository is seen, `https://HOST/OWNER/NAME/{view}/COMMIT`; without one
    links become plain text, and pictures are left out. Blocks of code stay as they are.
    """

    def to(target: str, view: str) -> str:
        path = normpath(PurePosixPath(folder, target).as_posix())
        return f"{(address or '').replace('{view}', view)}/{path}"

    def link(found: re.Match[str]) -> str:
        return f"[{found['text']}]({to(found['to'], 'blob')})" if address else found["text"]

    def picture(found: re.Match[str]) -> str:
        return f"{found['tag']}{to(found['to'], 'raw')}{found['rest']}" if address else ""

    parts, at = [], 0
    for block in [*_FENCED.finditer(readme), None]:
        text = readme[at : block.start() if block else len(readme)]
        parts += [_PICTURE.sub(picture, _LINK.sub(link, text)), block[0] if block else ""]
        at = block.end() if block else at
    return "".join(parts)


def unpack(git: Git, commit: str, name: str, into: Path) -> Path:
    """Put a package as a commit has it into a folder, and return its own folder there."""
    archive = into / f"{name}.tar"
    git("archive", f"--output={archive}", commit, f"packages/{name}")
    subprocess.run(["tar", "-xf", str(archive), "-C", str(into)], check=True)
    archive.unlink()
    return into / "packages" / name


def build(git: Git, name: str, out: Path, address: str | None) -> None:
    """Make the sdist and the wheel of a package as the current commit has it."""
    with TemporaryDirectory(prefix="sched-build-") as scratch:
        folder = unpack(git, "HEAD", name, Path(scratch))
        readme = folder / "README.md"
        readme.write_text(for_index(readme.read_text(), f"packages/{name}", address))
        _run_build(folder, out)


def wheel_of(git: Git, name: str, commit: str, out: Path) -> Path:
    """Make the wheel of a package as a commit had it, into a folder that is empty."""
    with TemporaryDirectory(prefix="sched-build-") as scratch:
        _run_build(unpack(git, commit, name, Path(scratch)), out, "--wheel")
    [wheel] = out.glob("*.whl")
    return wheel


def _run_build(folder: Path, out: Path, *options: str) -> None:
    command = [
        sys.executable,
        "-m",
        "build",
        "--installer=uv",
        *options,
        "--outdir",
        str(out),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{folder.name} cannot be built:\n{done.stdout}{done.stderr}")
