"""What makes the wheels of the miniature: a build backend that needs nothing to be installed."""

import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

WHEEL = "Wheel-Version: 1.0\nGenerator: making\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    return project


def _stem(project: dict[str, Any]) -> str:
    return f"{project['name'].replace('-', '_')}-{project['version']}"


def _metadata(project: dict[str, Any]) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    return "\n".join([*lines, *(f"Requires-Dist: {d}" for d in project["dependencies"]), ""])


def build_wheel(wheel_directory: str, *_: object) -> str:
    project = _project()
    name, info = f"{_stem(project)}-py3-none-any.whl", f"{_stem(project)}.dist-info"
    with zipfile.ZipFile(Path(wheel_directory, name), "w") as wheel:
        for source in Path("src").rglob("*.py"):
            wheel.write(source, source.relative_to("src"))
        wheel.writestr(f"{info}/METADATA", _metadata(project))
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")
    return name


def build_sdist(sdist_directory: str, *_: object) -> str:
    stem = _stem(_project())
    with tarfile.open(Path(sdist_directory, f"{stem}.tar.gz"), "w:gz") as sdist:
        sdist.add(".", stem)
        Path("PKG-INFO").write_text(_metadata(_project()))
        sdist.add("PKG-INFO", f"{stem}/PKG-INFO")
    return f"{stem}.tar.gz"
