"""What is written lies in drafts on this machine until a close or a sync uploads it, whole."""

from __future__ import annotations

import errno
import os
import tempfile
import threading

from .gcsfuse_settings import UploadFault
from .gcsfuse_tree import Tree, failure
from .storage_folder import Signature

__all__ = ["Draft", "Drafts"]

_CHUNK = 1 << 20


class Draft:
    """The content of a file that is open for writing, for all who have it open."""

    def __init__(self, name: str, folder: str, replaced: Signature | None) -> None:
        self.name = name
        self.replaced = replaced
        """The object that it stands for; none for a new file."""
        self.dirty = False
        self.dropped = False
        """Whether its name was removed: nothing of it is uploaded any more."""
        self.handles = 0
        self.lock = threading.Lock()
        self.descriptor, path = tempfile.mkstemp(dir=folder)
        os.unlink(path)

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size

    def write(self, content: bytes, offset: int) -> int:
        self.dirty = True
        return os.pwrite(self.descriptor, content, offset)

    def truncate(self, size: int) -> None:
        self.dirty = True
        os.ftruncate(self.descriptor, size)

    def fill(self, path: str) -> None:
        """Take the content of a file."""
        with open(path, "rb") as source:
            while chunk := source.read(_CHUNK):
                os.write(self.descriptor, chunk)

    def copy(self, path: str) -> None:
        offset = 0
        with open(path, "wb") as target:
            while chunk := os.pread(self.descriptor, _CHUNK, offset):
                target.write(chunk)
                offset += len(chunk)

    def close(self) -> None:
        os.close(self.descriptor)


class Drafts:
    """All drafts of a mount. Whoever begins, joins or leaves one holds the mount's lock."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._drafts: dict[str, Draft] = {}
        self._folder = os.path.dirname(tree.folder.staged())

    def dirty(self, name: str) -> Draft | None:
        """Return the draft of this name, if the object lacks something of it."""
        draft = self._drafts.get(name)
        return draft if draft and draft.dirty else None

    def new_in(self, folder: str) -> set[str]:
        """Return the names in a folder that no object has yet."""
        new = {d.name for d in self._drafts.values() if d.dirty and d.replaced is None}
        return {name.rpartition("/")[2] for name in new if name.rpartition("/")[0] == folder}

    def begin(self, name: str) -> Draft:
        """Begin a new file. Whether another client has made one meanwhile, only the upload tells."""
        draft = self._draft(name, None)
        draft.dirty = True
        return draft

    def change(self, name: str, *, keep: bool) -> Draft:
        """Take part in the draft of a file, or begin one from its object."""
        draft = self._drafts.get(name)
        now = self._tree.signature(name)
        if draft is None or not (draft.dirty or draft.replaced == now):
            if now is None:
                raise failure(errno.ENOENT, name)
            draft = self._draft(name, now)
            if keep:
                draft.fill(self._tree.path(name))
        if not keep:
            draft.truncate(0)
        return draft

    def _draft(self, name: str, replaced: Signature | None) -> Draft:
        draft = self._drafts[name] = Draft(name, self._folder, replaced)
        return draft

    def leave(self, draft: Draft) -> None:
        """Forget a draft that nobody has open; what could not be uploaded is lost."""
        if draft.handles == 0:
            if self._drafts.get(draft.name) is draft:
                del self._drafts[draft.name]
            draft.close()

    def drop(self, name: str) -> bool:
        """Part a name from its draft. Returns whether there was one that is no object yet."""
        draft = self._drafts.pop(name, None)
        if draft is None:
            return False
        draft.dropped = True
        return draft.dirty and draft.replaced is None

    def upload(self, draft: Draft) -> None:
        """Upload what was written since the last time, if anything was."""
        with draft.lock:
            if not draft.dirty or draft.dropped:
                return
            settings = self._tree.settings
            self._tree.pass_time(settings.upload_time)
            if fault := next((f for f in settings.faults if f.meets(draft.name)), None):
                self._fail(draft, fault)
            draft.replaced = self._publish(draft)
            draft.dirty = False

    def _fail(self, draft: Draft, fault: UploadFault) -> None:
        if fault.empty:
            staged = self._tree.folder.staged()
            os.close(os.open(staged, os.O_CREAT | os.O_WRONLY))
            draft.replaced = self._tree.put(staged, draft.name)
        raise failure(getattr(errno, fault.error), draft.name)

    def _publish(self, draft: Draft) -> Signature:
        staged = self._tree.folder.staged()
        draft.copy(staged)
        return self._tree.publish(staged, draft.name, draft.replaced)
