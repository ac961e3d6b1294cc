"""The words of the engines, and scripts that hold them."""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sched_core import OptionError, Resources
from sched_core.model.container import Container
from sched_core.paths import Mount
from sched_core.text.container import ContainerScript, container_script, legal_name
from sched_core.text.script import JobScript, render

pytestmark = pytest.mark.once

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/:"), min_size=1, max_size=12
).filter(lambda name: name not in (".", ".."))


def words_of(
    container: dict[str, Any], mounts: list[Mount] | None = None, **wanted: Any
) -> ContainerScript:
    found = Container.from_value({"image": "img:1", **container})
    assert found is not None
    return container_script(
        found,
        name="n-1",
        run="abc",
        script="/run/0/job.wrapped.x",
        mounts=mounts or [],
        wanted=Resources(**wanted),
    )


def test_t46_docker_and_podman() -> None:
    found = words_of({"pull": "never", "args": ["--network", "none"]}, cpus=1.5, memory="64 MiB")
    assert (
        list(found.start)
        == (
            "docker run --init --label sched.run=abc --rm --log-driver none --pull never --cpus 1.5"
            " --memory 67108864 --memory-swap 67108864 --entrypoint /bin/bash --network none"
        ).split()
    )
    assert (list(found.image), found.name, found.client) == (["img:1"], "n-1", "docker")
    kept = words_of({"engine": "/x/podman", "remove": False, "entrypoint": ["/b", "-l"]})
    assert {"--rm", "--log-driver"}.isdisjoint(kept.start)
    assert (list(kept.image), kept.kind, kept.client) == (["img:1", "-l"], "podman", "/x/podman")


@pytest.mark.witness("core", "container", kind="unit")
@pytest.mark.parametrize("kind", ["docker", "podman", "apptainer"])
def test_t15_a_folder_that_no_engine_can_mount_is_refused(kind: str) -> None:
    for mount in (Mount("/a/\udcff", "/b"), Mount("/a", "/b\udcff")):
        with pytest.raises(OptionError, match="not UTF-8; rename it"):
            words_of({"engine": kind}, [mount])


def test_a_container_that_is_kept_for_further_jobs() -> None:
    kept = words_of({"reuse": True})
    assert "--interactive" in kept.start
    assert kept.reuse
    plain = words_of({})
    assert [word for word in kept.start if word != "--interactive"] == list(plain.start)
    assert not plain.reuse
    assert "--interactive" not in words_of({"reuse": True, "engine": "apptainer"}).start


def test_apptainer() -> None:
    found = words_of({"engine": "apptainer", "image": "/x.sif"}, [Mount("/a", "/b", None, True)])
    assert list(found.start) == [
        *"apptainer --silent exec --containall --mount".split(),
        "type=bind,source=/a,target=/b,ro",
    ]
    assert (list(found.image), found.name) == (["/x.sif", "/bin/bash"], "")


def test_cards() -> None:
    assert "--gpus all" in " ".join(words_of({}, gpus=2).start)
    assert "--nv" in words_of({"engine": "apptainer"}, gpus=1).start
    with pytest.raises(OptionError, match="podman has no gpus of its own"):
        words_of({"engine": "podman"}, gpus=1)


@given(NAMES, NAMES)
@example("\r", "\x0c0")
def test_t15_folders_of_any_name_are_mounted(source: str, target: str) -> None:
    found = words_of({}, [Mount(f"/{source}", f"/{target}")])
    word = found.start[list(found.start).index("--mount") + 1]
    # Only what ends a line of CSV may part it, which a form feed does not.
    (fields,) = csv.reader(io.StringIO(word, newline=""), strict=True)
    assert fields == ["type=bind", f"source=/{source}", f"target=/{target}"]


def test_the_runs_folder_is_found_from_the_script(tmp_path: Path) -> None:
    """The same script is right wherever the run's folder lies, in words as in paths."""
    root = "/elsewhere/run"
    container = words_of({}, [Mount(root, root), Mount(f"{root}2", "/two")])
    text = render(
        JobScript(
            index=0, attempt=1, run="abc", metadir=f"{root}/0", recorder=f"{root}/.sched/recorder",
            cmd=["true"], token="abc-0-1", envs={}, root=root, container=container,
        )
    )  # fmt: skip
    folder = tmp_path / "a run"
    (folder / "0").mkdir(parents=True)
    (folder / ".sched").mkdir()
    (folder / ".sched/recorder").write_text(
        'sched_job() { printf "%s\\n" "${_sched_container[@]}"; }\n'
    )
    script = folder / "0/job.wrapped.x"
    script.write_text(text)
    said = subprocess.run(["bash", script], capture_output=True, text=True, check=True).stdout
    mounts = [line for line in said.splitlines() if line.startswith("type=")]
    assert mounts == [
        f"type=bind,source={folder},target={folder}",
        f"type=bind,source={root}2,target=/two",
    ]


@pytest.mark.parametrize(
    "name, legal",
    [
        ("local-1a2b-0-1", "local-1a2b-0-1"),
        ("9 jobs/of:mine@é-1a2b-0-1", "9_jobs_of_mine__-1a2b-0-1"),
        ("_hidden-1a2b-0-1", "chidden-1a2b-0-1"),
        ("long" * 60 + "-1a2b-10-1", ("long" * 60)[-190:] + "-1a2b-10-1"),
    ],
)
def test_t21_names_are_legal_and_keep_their_end(name: str, legal: str) -> None:
    assert legal_name(name) == legal
