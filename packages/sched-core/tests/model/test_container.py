"""What users say of containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sched_core import OptionError
from sched_core.model.container import Container

FULL = {
    "image": "python:3.13",
    "engine": "/opt/bin/podman",
    "volumes": ["/a:/b:ro", "DATA=/d"],
    "entrypoint": ["/bin/bash", "-l"],
    "user": "1000:1000",
    "pull": "never",
    "args": ["--network", "none"],
    "remove": False,
}


def test_an_image_is_a_container() -> None:
    found = Container.from_value("python:3.13")
    assert found == Container(image="python:3.13")
    assert (found.engine, found.kind, found.entrypoint) == ("docker", "docker", ("/bin/bash",))
    assert Container.from_value(None) is None
    assert Container.from_value(found) is found


def test_what_is_recorded_makes_the_same_container() -> None:
    found = Container.from_value(FULL)
    assert found is not None
    assert found.to_json() == FULL
    assert Container.from_value(found.to_json()) == found
    assert Container(image="i").to_json() == {"image": "i"}


def test_what_is_left_open_is_as_in_the_default() -> None:
    default = Container.from_value(FULL)
    found = Container.from_value({"args": []}, default)
    assert found is not None
    assert default is not None
    assert (found.args, found.image, found.volumes) == ((), default.image, default.volumes)
    other = Container.from_value("other:1", default)
    assert other is not None
    assert (other.image, other.engine) == ("other:1", default.engine)


@pytest.mark.parametrize(
    "engine, kind",
    [
        ("docker", "docker"),
        ("/usr/bin/podman", "podman"),
        ("singularity", "apptainer"),
        ("apptainer", "apptainer"),
    ],
)
def test_the_engine_is_told_by_its_program(engine: str, kind: str) -> None:
    assert Container(image="i", engine=engine).kind == kind


def test_texts_are_split_as_a_shell_would() -> None:
    found = Container.from_value({"image": "i", "args": "--env 'A=b c'", "volumes": "/a:/b"})
    assert found is not None
    assert (found.args, found.volumes) == (("--env", "A=b c"), ("/a:/b",))


@pytest.mark.parametrize(
    "value, message",
    [
        ("", "'' is no name of an image"),
        ("-i", "'-i' is no name of an image"),
        (5, "give an image, or a mapping of image, engine"),
        ({}, "it has no image"),
        ({"image": "i", "engine": "rkt"}, "the engine 'rkt' is none of docker, podman"),
        ({"image": "i", "pull": "often"}, "pull 'often' is none of missing, never, always"),
        ({"image": "i", "imagee": "x"}, "it has no 'imagee'; did you mean image?"),
        ({"image": "i", "zzz": "x"}, "it has no 'zzz'; there are image, engine"),
        ({"image": "i", "args": 3}, "args 3 is no list of texts"),
        ({"image": "i", "entrypoint": []}, "the entrypoint is empty"),
        ({"image": "i", "engine": "apptainer", "user": "me"}, "leave user out"),
    ],
)
def test_what_no_engine_takes_is_refused(value: Any, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        Container.from_value(value)
    assert message in str(raised.value)


def test_an_image_may_be_a_path() -> None:
    found = Container.from_value({"image": Path("/images/x.sif"), "engine": "apptainer"})
    assert found is not None
    assert found.image == "/images/x.sif"
