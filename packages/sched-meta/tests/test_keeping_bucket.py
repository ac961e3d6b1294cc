"""Packing, removing and listing runs in a bucket, here one in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from sched_core.errors import OptionError
from sched_core.ports import Entry
from sched_meta.keeping import overview, packing
from sched_meta.keeping.overview import row_of
from sched_meta.keeping.packing import pack_jobs, unpack_jobs
from sched_meta.keeping.removing import remove_jobs, remove_run, what_jobs_have, what_run_has
from sched_meta.reading.runfolder import RunFolder

from .bucket import Bucket, run_folder
from .keptruns import contents, failed, make_run, record
from .test_remove import finished


class WholeBucket(Bucket):
    """A bucket that takes and gives whole files, too."""

    def tree(self, folder: str) -> dict[str, Entry]:
        with self._asked("tree"):
            start = f"{folder}/"
            names = [path[len(start) :] for path in self.objects if path.startswith(start)]
            known = self.checksums([start + name for name in names])
            return {name: known[start + name] for name in names}

    def exists(self, path: str) -> bool:
        with self._asked("exists"):
            return path in self.objects or any(p.startswith(f"{path}/") for p in self.objects)

    def upload(self, source: str, path: str) -> Entry:
        with self._asked("upload"):
            self.objects[path] = Path(source).read_bytes()
            return self.checksums([path])[path]

    def download(self, path: str, target: str) -> None:
        Path(target).write_bytes(self.objects[path])

    def read_part(self, path: str, offset: int, size: int) -> bytes:
        return self.read_from(path, offset)[:size]


@pytest.fixture
def bucket(tmp_path: Path) -> WholeBucket:
    """A bucket with the run gs://bucket/r of three jobs."""
    made = make_run(tmp_path / "made", [record(0), failed(1), record(2, attempt=2)])
    bucket = WholeBucket()
    for path in Path(made.path).rglob("*"):
        if path.is_file():
            bucket.objects[f"gs://bucket/r/{path.relative_to(made.path)}"] = path.read_bytes()
    return bucket


def names(bucket: Bucket) -> list[str]:
    """The objects but what drivers leave."""
    found = (path.removeprefix("gs://bucket/r/") for path in bucket.objects)
    return sorted(n for n in found if n.startswith(".sched/packs/") or not n.startswith(".sched/"))


def test_packing(bucket: WholeBucket) -> None:
    before = contents(run_folder(bucket), range(3))
    packed = pack_jobs(run_folder(bucket))
    assert (packed.jobs, packed.files, packed.archives) == (3, 17, 1)
    assert names(bucket) == [".sched/packs/pack-1.0-2.zip"]
    assert before == contents(run_folder(bucket), range(3))
    assert pack_jobs(run_folder(bucket)).jobs == 0


def test_a_later_attempt(bucket: WholeBucket) -> None:
    pack_jobs(run_folder(bucket))
    bucket.objects["gs://bucket/r/1/job.claim.2"] = b"the second\n"
    now = contents(run_folder(bucket), [1])
    assert now["1/job.retry/1/job.stderr"] == b"err 1\n"
    assert "1/job.stderr" not in now


@pytest.mark.parametrize("left", range(17))
def test_packing_that_was_broken_off(bucket: WholeBucket, left: int) -> None:
    before = contents(run_folder(bucket), range(3))
    objects = dict(bucket.objects)
    pack_jobs(run_folder(bucket))
    for path in sorted(objects.keys() - bucket.objects.keys())[left:]:
        bucket.objects[path] = objects[path]
    assert before == contents(run_folder(bucket), range(3))
    pack_jobs(run_folder(bucket))
    assert before == contents(run_folder(bucket), range(3))
    assert names(bucket) == [".sched/packs/pack-1.0-2.zip"]


def test_unpacking(bucket: WholeBucket) -> None:
    before, there = contents(run_folder(bucket), range(3)), names(bucket)
    pack_jobs(run_folder(bucket))
    unpack_jobs(run_folder(bucket))
    assert names(bucket) == there
    assert before == contents(run_folder(bucket), range(3))


def test_not_while_there_is_a_mirror(bucket: WholeBucket) -> None:
    mark = b'{"id":"m","host":"node1","boot_id":"b","folder":"/m","run":"r1","taken":true}\n'
    bucket.objects["gs://bucket/r/.sched/mirror.json"] = mark
    there = names(bucket)
    for act in (pack_jobs, unpack_jobs):
        with pytest.raises(OptionError, match="have a mirror of it, /m on node1"):
            act(run_folder(bucket))
    assert names(bucket) == there


def test_only_the_archive_of_the_job_is_asked_for_a_part(
    bucket: WholeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_JOBS", 1)
    pack_jobs(run_folder(bucket))
    folder = run_folder(bucket)
    bucket.questions.clear()
    assert folder.files.read(folder.of_job(1) + "/job.stdout").startswith(b"out 1\n")
    # The file itself, which is not there; the archives; the job's folder; the one archive, by parts.
    assert bucket.questions[:2] == ["read", "list"]
    assert bucket.questions.count("list") == 2
    assert len(bucket.questions) < 8


def test_removing_a_run(bucket: WholeBucket) -> None:
    bucket.objects["gs://bucket/r/0/out.bam"] = b"precious"
    bucket.objects["gs://bucket/other"] = b"not ours"
    expected = what_run_has(run_folder(bucket))
    assert expected.kept == ["0/out.bam"]
    assert remove_run(run_folder(bucket)).kept == ["0/out.bam"]
    assert sorted(bucket.objects) == ["gs://bucket/other", "gs://bucket/r/0/out.bam"]


def test_removing_files_of_jobs(bucket: WholeBucket) -> None:
    before = contents(run_folder(bucket), [1])
    pack_jobs(run_folder(bucket))
    expected = what_jobs_have(run_folder(bucket), finished)
    removal = remove_jobs(run_folder(bucket), finished)
    assert (removal.jobs, removal.files) == (2, 12) == (expected.jobs, expected.files)
    assert before == contents(run_folder(bucket), range(3))


def test_listing(bucket: WholeBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of(run_folder(bucket))
    assert (row.name, row.state, row.jobs) == ("r", "failed", 3)
    assert row.files == len(bucket.objects)
    assert row.size == sum(map(len, bucket.objects.values()))
    folder = run_folder(bucket)
    monkeypatch.setattr(RunFolder, "ports", folder.ports, raising=False)
    bucket.objects["gs://bucket/notes"] = b""
    assert [run.path for run in overview.runs_below("gs://bucket")] == ["gs://bucket/r"]
