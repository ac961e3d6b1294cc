"""A run's folder in which files of jobs may lie in archives: they are read as if they did not."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress

from .archive import Member
from .archives import Archives, View, is_other_attempt, put_aside
from .files import Entry, Files

__all__ = ["PackedFiles"]

_INDEX = re.compile(r"(0|[1-9][0-9]*)(?:/(.+))?", re.DOTALL | re.ASCII)


class PackedFiles:
    """The files of a run, of which some may be packed; what lies in a job's folder comes first.

    Only reading knows of archives. Where a job's folder holds a later attempt, its packed files are
    those of earlier ones.
    """

    def __init__(self, files: Files, root: str, alias: str | None = None) -> None:
        """Read the run in the folder `root` of that store; paths may also begin with `alias`."""
        self.plain = files
        """The store itself."""
        self.archives = Archives(files, f"{root}/.sched/packs")
        self._root = root
        self._roots = (root,) if alias in (None, root) else (root, alias)

    @property
    def interval(self) -> float:
        """The shortest time between two looks at the same place, in seconds: looks may cost."""
        return self.plain.interval

    # --- what is packed ----------------------------------------------------------------------------

    def _parse(self, path: str) -> tuple[int, str] | None:
        """Return the index of the job and the name in its folder, None for what is no job's."""
        for root in self._roots:
            if path.startswith(f"{root}/"):
                match = _INDEX.fullmatch(path[len(root) + 1 :])
                return (int(match[1]), match[2] or "") if match else None
        return None

    def view(self, index: int, folders: Container[str] | None = None) -> View:
        """Return the packed files of a job as readers see them; `folders` are those that jobs have, if known."""
        view = self.archives.view(index)
        if not view or (folders is not None and str(index) not in folders):
            return view
        found: dict[str, Entry] = {}
        with suppress(FileNotFoundError, NotADirectoryError):
            found = self.plain.entries(f"{self._root}/{index}")
        return put_aside(view) if is_other_attempt(view, found) else view

    def _find(self, path: str) -> Member | None:
        place = self._parse(path)
        return self.view(place[0]).get(place[1]) if place and self.archives.look() else None

    def _find_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Member]]:
        places = {path: place for path in paths if (place := self._parse(path))}
        if not places or not self.archives.look():
            return
        folders = set(self.plain.names(self._root)) if len(places) > 1 else None
        index, view = -1, View()
        for path, place in sorted(places.items(), key=lambda item: item[1]):
            if place[0] != index:
                index, view = place[0], self.view(place[0], folders)
            if place[1] in view:
                yield path, view[place[1]]

    # --- reading -----------------------------------------------------------------------------------

    def read(self, path: str) -> bytes:
        """Return the whole content."""
        return self.read_from(path, 0)

    def read_from(self, path: str, offset: int) -> bytes:
        """Return what lies beyond that many bytes, which may be nothing."""
        try:
            return self.plain.read_from(path, offset) if offset else self.plain.read(path)
        except (FileNotFoundError, NotADirectoryError):
            if (member := self._find(path)) is None:
                raise
        return member.read(offset)

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        """Return up to that many bytes from there on; fewer only where the file ends."""
        try:
            return self.plain.read_part(path, offset, size)
        except (FileNotFoundError, NotADirectoryError):
            if (member := self._find(path)) is None:
                raise
        return member.read(offset)[:size]

    def packed_pieces(self, path: str) -> Iterator[bytes] | None:
        """Return the content of a packed file piece by piece; None where there is no such one."""
        member = self._find(path)
        return None if member is None else member.pieces()

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the contents of files, None for one that is not there."""
        found = self.plain.read_many(paths)
        missing = [path for path, data in zip(paths, found, strict=True) if data is None]
        packed = {path: member.read() for path, member in self._find_many(missing)}
        pairs = zip(paths, found, strict=True)
        return [packed.get(path) if data is None else data for path, data in pairs]

    def checksums(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what is known of those of the files that are there, by as few questions as it takes."""
        paths = list(paths)
        found = self.plain.checksums(paths)
        missing = [path for path in paths if path not in found]
        return found | {path: member.entry for path, member in self._find_many(missing)}

    def names(self, folder: str) -> list[str]:
        """List what the folder holds, in no order."""
        packed = self._packed_entries(folder)
        try:
            return list({*self.plain.names(folder), *packed})
        except (FileNotFoundError, NotADirectoryError):
            if not packed:
                raise
            return list(packed)

    def entries(self, folder: str) -> dict[str, Entry]:
        """Return what the folder holds, by name."""
        packed = self._packed_entries(folder)
        try:
            return packed | self.plain.entries(folder)
        except (FileNotFoundError, NotADirectoryError):
            if not packed:
                raise
            return packed

    def _packed_entries(self, folder: str) -> dict[str, Entry]:
        place = self._parse(folder)
        if not place or not self.archives.look():
            return {}
        start = f"{place[1]}/" if place[1] else ""
        found: dict[str, Entry] = {}
        for path, member in self.view(place[0]).items():
            if path.startswith(start):
                name, within, _ = path[len(start) :].partition("/")
                found[name] = Entry(0, 0.0, is_folder=True) if within else member.entry
        return found

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file or folder."""
        if self.plain.exists(path):
            return True
        return self._find(path) is not None or bool(self._packed_entries(path))

    # --- writing goes to the store -----------------------------------------------------------------

    def create(self, path: str, data: bytes) -> bool:
        """Create the file with this content; False, and no effect, where there is one already."""
        return self.plain.create(path, data)

    def write(self, path: str, data: bytes) -> None:
        """Put the content in place of whatever there was."""
        self.plain.write(path, data)

    def write_private(self, path: str, data: bytes) -> None:
        """Put the content into a file that only its owner may read."""
        self.plain.write_private(path, data)

    def make_folder(self, path: str) -> bool:
        """Make the folder and its missing parents; False where it was there already."""
        return self.plain.make_folder(path)

    def remove(self, path: str) -> None:
        """Remove the file, if there is one that is not packed."""
        self.plain.remove(path)

    def move(self, source: str, target: str) -> None:
        """Give a file that is not packed another name in the same store."""
        self.plain.move(source, target)

    def create_many(self, items: Sequence[tuple[str, bytes]]) -> list[bool | OSError]:
        """Create files; for each, tell what `create` would return, or the OSError it would raise."""
        return self.plain.create_many(items)

    def remove_many(self, paths: Sequence[str]) -> None:
        """Remove those of the files that are there and not packed."""
        self.plain.remove_many(paths)

    def move_many(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Give files that are not packed, each with its new name, other names in the same store."""
        self.plain.move_many(pairs)
