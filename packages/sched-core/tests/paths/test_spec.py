"""What a path is, without its files."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.errors import OptionError, SchedError
from sched_core.paths import MountedPath, NotALocalPath, SpecPath

# Every name that a file can have: any bytes but NUL and '/', also such as are not UTF-8.
NAMES = (
    st.binary(min_size=1, max_size=20)
    .filter(lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b".."))
    .map(os.fsdecode)
)
FOLDERS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))
KEYS = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=9)
BUCKETS = st.tuples(
    st.sampled_from(["gs://bucket", "s3://a.b", "az://c-1"]),
    st.lists(KEYS.filter(lambda key: key not in (".", "..")), max_size=3),
).map(lambda parts: "/".join([parts[0], *parts[1]]))
PATHS = st.builds(SpecPath, FOLDERS | BUCKETS, st.none() | FOLDERS)


class TestConstruction:
    @pytest.mark.parametrize(
        "given, text",
        [
            ("/a//b/./c/", "/a/b/c"),
            ("a/../b", "a/../b"),
            ("", "."),
            ("~/x", "~/x"),
            (b"/a/\xff", "/a/\udcff"),
            (Path("/a"), "/a"),
            ("gs://bucket", "gs://bucket"),
            ("gs://bucket/", "gs://bucket"),
            ("gs://bucket//a/./b/../c/", "gs://bucket/a/c"),
            ("s3://b/a?x=1#y", "s3://b/a?x=1#y"),
            ("az://c/a\nb", "az://c/a\nb"),
        ],
    )
    def test_keeps_what_is_given_as_pathlib_does(
        self, given: str | bytes | Path, text: str
    ) -> None:
        assert str(SpecPath(given)) == text

    def test_of_a_path_is_that_path(self) -> None:
        path = SpecPath("/a", mounted="/m")
        assert SpecPath(path) == path
        assert SpecPath(path.mounted) == path
        assert MountedPath(path) == path.mounted
        assert SpecPath(path, mounted="/n") == SpecPath("/a", mounted="/n")
        assert SpecPath("/a", mounted=path.mounted) == path

    def test_mounted_at_its_own_path_is_not_mounted(self) -> None:
        assert SpecPath("/a", mounted="/a/") == SpecPath("/a")
        assert not SpecPath("/a", mounted="/a").is_mounted()

    def test_refuses_other_urls(self) -> None:
        with pytest.raises(OptionError, match="'gcs' is no kind of path; use gs://"):
            SpecPath("gcs://bucket/x")
        assert str(SpecPath("./gcs://bucket/x")) == "gcs:/bucket/x"

    @pytest.mark.parametrize("text", ["gs://", "gs:///x"])
    def test_refuses_a_url_without_a_bucket(self, text: str) -> None:
        with pytest.raises(OptionError, match="names no bucket"):
            SpecPath(text)

    def test_refuses_to_leave_a_bucket(self) -> None:
        with pytest.raises(OptionError, match=r"leaves its bucket by '\.\.'"):
            SpecPath("gs://bucket/a/../../other")

    def test_refuses_what_is_no_path(self) -> None:
        with pytest.raises(TypeError):
            SpecPath(3)  # type: ignore[arg-type]


class TestSides:
    def test_lead_to_each_other(self) -> None:
        path = SpecPath("gs://bucket/run", mounted="/mnt/disks/run")
        assert str(path.mounted) == "/mnt/disks/run"
        assert path.mounted == MountedPath("/mnt/disks/run", spec="gs://bucket/run")
        assert path.is_mounted()
        assert path.mounted.is_mounted()

    def test_of_an_unmounted_path_are_the_same_text(self) -> None:
        path = SpecPath("/a")
        assert str(path.mounted) == "/a"
        assert not path.mounted.is_mounted()

    @given(PATHS)
    def test_round_trip(self, path: SpecPath) -> None:
        assert path.mounted.spec == path
        assert path.mounted.spec.mounted == path.mounted

    @given(PATHS, st.lists(NAMES, min_size=1, max_size=3))
    def test_go_along_with_what_is_derived(self, path: SpecPath, names: list[str]) -> None:
        below = path.joinpath(*names)
        assert below == path / "/".join(names)
        assert below.mounted == path.mounted.joinpath(*names)
        assert below.name == below.mounted.name == names[-1]
        for _ in names:
            below = below.parent
        assert below == path

    @given(FOLDERS, st.lists(NAMES, min_size=1, max_size=3), NAMES)
    def test_local_paths_agree_with_pathlib(
        self, folder: str, names: list[str], other: str
    ) -> None:
        path, model = SpecPath(folder).joinpath(*names), PurePosixPath(folder).joinpath(*names)
        assert str(path) == str(model) == os.fspath(path)
        assert path.parts == model.parts
        assert (path.name, path.stem, path.suffix) == (model.name, model.stem, model.suffix)
        assert str(path.parent) == str(model.parent)
        assert str(path.with_name(other)) == str(model.with_name(other))
        assert str(path.with_suffix(".x")) == str(model.with_suffix(".x"))

    def test_names_change_on_both(self) -> None:
        path = SpecPath("gs://bucket/a.tar.gz", mounted="/m/a.tar.gz")
        assert path.with_name("b") == SpecPath("gs://bucket/b", mounted="/m/b")
        assert path.with_stem("b") == SpecPath("gs://bucket/b.gz", mounted="/m/b.gz")
        assert path.with_suffix("") == SpecPath("gs://bucket/a.tar", mounted="/m/a.tar")
        assert path.mounted.with_name("b").spec == path.with_name("b")
        assert (path.stem, path.suffix) == ("a.tar", ".gz")
        assert path.parts == ("gs://bucket", "a.tar.gz")

    def test_a_parent_beyond_a_root_keeps_them_in_step(self) -> None:
        bucket = SpecPath("gs://bucket", mounted="/mnt/disks/bucket")
        assert bucket.parent == bucket
        assert SpecPath("/").parent == SpecPath("/")
        assert SpecPath("/data/x", mounted="/").parent == SpecPath("/data/x", mounted="/")

    @pytest.mark.parametrize("text", ["/", "gs://bucket", "."])
    def test_a_root_has_no_name_to_change(self, text: str) -> None:
        assert SpecPath(text).name == ""
        with pytest.raises(ValueError, match="empty name"):
            SpecPath(text).with_name("x")

    def test_an_absolute_segment_starts_afresh(self) -> None:
        path = SpecPath("/a", mounted="/m")
        assert path / "/b" == SpecPath("/b")
        assert path / "gs://bucket/x" == SpecPath("gs://bucket/x")
        assert path / SpecPath("/b", mounted="/n") == SpecPath("/b", mounted="/n")
        assert SpecPath("gs://bucket") / "/b" == SpecPath("/b")

    def test_segments_of_every_kind(self) -> None:
        path = SpecPath("/a", mounted="/m")
        assert path / Path("b/c") == path / b"b" / "./c/" == path.joinpath("b", "c")
        assert path / SpecPath("b", mounted="c") == SpecPath("/a/b", mounted="/m/c")
        assert path / SpecPath("b").mounted == path / "b"
        assert path / "" == path.joinpath() == path
        with pytest.raises(TypeError, match="unsupported operand"):
            path / 3  # type: ignore[operator]

    def test_dots_mean_the_same_on_both(self) -> None:
        path = SpecPath("gs://bucket/a", mounted="/m/a") / "../b"
        assert str(path) == "gs://bucket/b"
        assert os.path.normpath(path.mounted) == "/m/b"


class TestValue:
    @given(PATHS)
    def test_survives_pickle_and_copy(self, path: SpecPath) -> None:
        assert pickle.loads(pickle.dumps(path)) == path
        assert pickle.loads(pickle.dumps(path.mounted)) == path.mounted
        assert copy.deepcopy(path) == copy.copy(path) == path

    @given(PATHS)
    def test_is_shown_as_it_is_built(self, path: SpecPath) -> None:
        names = {"SpecPath": SpecPath, "MountedPath": MountedPath}
        assert eval(repr(path), names) == path
        assert eval(repr(path.mounted), names) == path.mounted

    def test_shows_its_other_side_only_where_there_is_one(self) -> None:
        assert repr(SpecPath("/a")) == "SpecPath('/a')"
        assert repr(SpecPath("/a", "/m")) == "SpecPath('/a', mounted='/m')"
        assert repr(SpecPath("/a", "/m").mounted) == "MountedPath('/m', spec='/a')"

    def test_equals_what_is_the_same_on_both_sides(self) -> None:
        path = SpecPath("/a", mounted="/m")
        assert {path, SpecPath("/a"), SpecPath("/a/", mounted="/m")} == {path, SpecPath("/a")}
        assert path != SpecPath("/a", mounted="/n")
        assert SpecPath("/a") != MountedPath("/a")
        assert SpecPath("/a") != "/a"

    def test_sorts(self) -> None:
        assert sorted([SpecPath("/b"), SpecPath("/a")]) == [SpecPath("/a"), SpecPath("/b")]

    def test_is_path_like_where_it_is_local(self) -> None:
        path = SpecPath("/a", mounted="gs://bucket/a")
        assert isinstance(path, os.PathLike)
        assert Path(path) == Path("/a")
        with pytest.raises(NotALocalPath, match="gs://bucket/a is in a bucket") as caught:
            os.fspath(path.mounted)
        assert isinstance(caught.value, SchedError)
        assert isinstance(caught.value, TypeError)
        assert path.mounted.is_cloud()
        assert not path.is_cloud()

    def test_knows_whether_it_is_absolute(self) -> None:
        assert [SpecPath(text).is_absolute() for text in ("/a", "gs://b", "a")] == [1, 1, 0]

    def test_subclasses_stay_themselves(self) -> None:
        class HostPath(SpecPath):
            __slots__ = ()

        path = HostPath(SpecPath("/a", mounted="/m"))
        assert type(path / "b") is HostPath
        assert path / SpecPath("/b", mounted="/n") == HostPath("/b", mounted="/n")

    def test_takes_little_memory(self) -> None:
        base = SpecPath("/home/somebody/projects/genomes/sched-runs/run-0001")
        tracemalloc.start()
        try:
            paths = [base / str(index) for index in range(10_000)]
            size = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert size / len(paths) < 300


def test_import_loads_neither_anyio_nor_cloudpathlib() -> None:
    code = (
        "import sys, sched_core.paths, sched_core.model.resources;"
        "heavy = {'anyio', 'asyncio', 'trio', 'cloudpathlib', 'threading'} & set(sys.modules);"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    # An empty package in place of sched_core's own, which may load more.
    import sched_core

    stub = (
        "import sys, types; package = types.ModuleType('sched_core');"
        f"package.__path__ = {list(sched_core.__path__)!r}; sys.modules['sched_core'] = package;"
    )
    command = [sys.executable, "-S", "-c", stub + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
