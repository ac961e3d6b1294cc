from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sched_core.errors import OptionError
from sched_core.paths import DEFAULT_MOUNTED_ROOT, Mount, MountTable, SpecPath, parse_mount

# Every name that a file can have: any bytes but NUL and '/', also such as are not UTF-8.
NAMES = (
    st.binary(min_size=1, max_size=20)
    .filter(lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b".."))
    .map(os.fsdecode)
)
FOLDERS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))


@pytest.mark.parametrize(
    "spec, mount",
    [
        ("/host/dir:/job/dir", Mount("/host/dir", "/job/dir")),
        ("/host/dir/:/job//dir/:ro", Mount("/host/dir", "/job/dir", None, True)),
        ("/host:/job:rw", Mount("/host", "/job")),
        ("gs://bucket/dir:/mnt/disks/x", Mount("gs://bucket/dir", "/mnt/disks/x")),
        ("gs://bucket:/mnt/x:ro", Mount("gs://bucket", "/mnt/x", None, True)),
        ("DATA=/path/on/host", Mount("/path/on/host", "/mnt/disks/DATA", "DATA")),
        ("DATA=gs://bucket/x:ro", Mount("gs://bucket/x", "/mnt/disks/DATA", "DATA", True)),
        ("DATA=/host:/job", Mount("/host", "/job", "DATA")),
        ("/a=b:/job", Mount("/a=b", "/job")),
        ("/odd:name:/job", Mount("/odd:name", "/job")),
        ("rel/dir:/job", Mount("rel/dir", "/job")),
        ("/a b\n'c:/job dir", Mount("/a b\n'c", "/job dir")),
    ],
)
def test_parses(spec: str, mount: Mount) -> None:
    assert parse_mount(spec) == mount


@pytest.mark.parametrize(
    "spec, message",
    [
        ("/host", "has no path for the jobs; write '/host/dir:/job/dir'"),
        ("gs://bucket/dir", "has no path for the jobs"),
        ("/host:job", "has no path for the jobs"),
        (":/job", "names nothing to mount"),
        ("DATA=", "names nothing to mount"),
        ("", "names nothing to mount"),
        ("/host:/job:z", "the flags are ro, rw"),
        ("/host:/job/../..", "must be absolute"),
        ("/host:/", "hide the whole file system"),
        ("gcs://bucket/x:/job", "'gcs' is no kind of path"),
    ],
)
def test_refuses(spec: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_mount(spec)


@given(FOLDERS.filter(lambda path: path != "/"), FOLDERS, st.booleans())
def test_parses_what_a_mount_prints(target: str, source: str, read_only: bool) -> None:
    if ":" in target or ":/" in source:
        return  # as in docker's -v, such a path cannot be told from the next part
    flag = ":ro" if read_only else ":rw"
    assert parse_mount(f"{source}:{target}{flag}") == Mount(source, target, None, read_only)


class TestAdd:
    def test_returns_the_root_as_both_sides_see_it(self) -> None:
        table = MountTable()
        assert table.add("gs://bucket/dir:/job/dir") == SpecPath("gs://bucket/dir", "/job/dir")
        assert table.add("DATA=/host:ro") == SpecPath("/host", "/mnt/disks/DATA")
        assert list(table) == [
            Mount("gs://bucket/dir", "/job/dir"),
            Mount("/host", "/mnt/disks/DATA", "DATA", True),
        ]
        assert len(table) == 2
        assert table.environment() == {"DATA": "/mnt/disks/DATA"}

    def test_finds_a_place_for_a_path_alone(self) -> None:
        table = MountTable()
        targets = [
            str(table.add(spec).mounted)
            for spec in ("/a/data", "gs://bucket", "/b/data", "/a/my data", "/", Path("/x:/y"))
        ]
        assert targets[:2] == [f"{DEFAULT_MOUNTED_ROOT}/data", f"{DEFAULT_MOUNTED_ROOT}/bucket"]
        assert targets[2].startswith(f"{DEFAULT_MOUNTED_ROOT}/data-")
        assert targets[3:5] == ["/mnt/disks/my-data", "/mnt/disks/root"]
        assert targets[5] == "/mnt/disks/y"
        assert len(set(targets)) == len(targets)

    def test_gives_the_same_place_in_each_process(self) -> None:
        first, second = MountTable(), MountTable()
        for table in (first, second):
            table.add("/a/data")
        assert first.add("/b/data") == second.add("/b/data")

    def test_twice_is_once(self) -> None:
        table = MountTable()
        assert table.add("/data") == table.add(Path("/data/")) == table.add("/data:/mnt/disks/data")
        assert table.add("gs://b/x:/x") == table.add("gs://b/x") == table.add(SpecPath("gs://b/x"))
        assert len(table) == 2

    def test_a_name_may_come_later(self) -> None:
        table = MountTable()
        table.add("/data:/mnt/disks/DATA")
        table.add("DATA=/data")
        assert list(table) == [Mount("/data", "/mnt/disks/DATA", "DATA")]

    def test_takes_paths_as_they_stand(self) -> None:
        table = MountTable()
        assert table.add("/odd:/name", "/job") == SpecPath("/odd:/name", "/job")
        assert table.add(SpecPath("/a", "/m")) == SpecPath("/a", "/m")
        assert table.add(Mount("/b", "/n", "B")) == SpecPath("/b", "/n")

    @pytest.mark.parametrize(
        "spec, message",
        [
            ("/b:/job", "'/b' cannot be mounted at '/job': '/a' is mounted there"),
            ("/a:/job:ro", "'/a' is mounted there"),
            ("A=/c", "'A' stands for the mount of '/a'"),
            ("B=/a:/job", "the mount at '/job' is called 'A'"),
        ],
    )
    def test_refuses_what_contradicts_itself(self, spec: str, message: str) -> None:
        table = MountTable()
        table.add("A=/a:/job")
        with pytest.raises(OptionError, match=message):
            table.add(spec)
        assert len(table) == 1


class TestMapPath:
    @pytest.fixture
    def table(self) -> MountTable:
        table = MountTable()
        for spec in ("/data:/d", "/data/ref:/ref", "gs://bucket:/b", "gs://bucket/deep:/deep"):
            table.add(spec)
        return table

    @pytest.mark.parametrize(
        "path, mounted",
        [
            ("/data", "/d"),
            ("/data/x/y", "/d/x/y"),
            ("/data/ref/hg38", "/ref/hg38"),
            ("/data/reference", "/d/reference"),
            ("/data/x/../y", "/d/x/../y"),
            ("gs://bucket/a", "/b/a"),
            ("gs://bucket/deep/a", "/deep/a"),
            ("gs://bucket/deep/../a", "/b/a"),
        ],
    )
    def test_takes_the_nearest_mount(self, table: MountTable, path: str, mounted: str) -> None:
        assert table.map_path(path) == SpecPath(path, mounted)

    @pytest.mark.parametrize(
        "path", ["/database", "/", "/data/../etc", "/data/x/../../data/x", "gs://bucket2/a", "data"]
    )
    def test_none_where_no_mount_covers(self, table: MountTable, path: str) -> None:
        assert table.map_path(path) is None

    def test_keeps_what_is_mounted(self, table: MountTable) -> None:
        assert table.map_path(SpecPath("/data/x", "/other")) == SpecPath("/data/x", "/other")

    def test_none_where_another_mount_hides_it(self) -> None:
        table = MountTable()
        table.add("/data:/job")
        table.add("/other:/job/tmp")
        assert table.map_path("/data/tmp/x") is None
        assert table.map_path("/data/tmpx") == SpecPath("/data/tmpx", "/job/tmpx")
        assert table.map_path("/other/x") == SpecPath("/other/x", "/job/tmp/x")

    def test_relative_paths_and_the_root(self) -> None:
        table = MountTable()
        table.add(".:/here")
        assert table.map_path("a/b") == SpecPath("a/b", "/here/a/b")
        assert table.map_path("..") is None
        assert table.map_path("/a") is None
        table.add("/:/host")
        assert table.map_path("/a") == SpecPath("/a", "/host/a")

    @given(FOLDERS, st.lists(NAMES, min_size=1, max_size=3))
    def test_maps_all_that_is_below(self, source: str, names: list[str]) -> None:
        table = MountTable()
        root = table.add(source, "/job")
        path = os.path.join(source, *names)
        assert table.map_path(path) == root.joinpath(*names)
