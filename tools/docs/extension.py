"""What the site needs of Sphinx besides its own: generated parts, links that leave the site, and what must be there."""

from __future__ import annotations

import os
import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .commandline import described

if TYPE_CHECKING:
    from docutils.nodes import Element, document
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

_PICTURE = re.compile(r'<(?:img|source)[^>]*? src(?:set)?="(?!https?:)([^"]+)"')
_GENERATED = {"<!-- generated: commands -->": described}


def _fill_in(_: Sphinx, __: str, source: list[str]) -> None:
    for mark, make in _GENERATED.items():
        if mark in source[0]:
            source[0] = source[0].replace(mark, make())


def _lead_outside(app: Sphinx, doctree: document) -> None:
    """Have links to what is in the repository but no page lead there.

    Where it is not known where that is, files are downloads from the site, and a folder's name is text.
    """
    from docutils.nodes import inline, reference
    from sphinx.addnodes import download_reference, pending_xref

    where = _repository()
    for node in [*doctree.findall(download_reference), *doctree.findall(pending_xref)]:
        path = _path_outside(app, node)
        if path and where:
            uri = f"{where}/{path}"
            node.replace_self(reference("", "", *node.children, internal=False, refuri=uri))
        elif path and not isinstance(node, download_reference):
            node.replace_self(inline("", "", *node.children))


def _path_outside(app: Sphinx, node: Element) -> str:
    """Return the path in the repository of a file or folder that a link names, and that is no page."""
    folder = Path(node["refdoc"]).parent if "refdoc" in node else Path()
    target = Path(os.path.normpath(app.srcdir / folder / node["reftarget"].partition("#")[0]))
    outside = node.get("reftype") in ("myst", None) and target.is_relative_to(app.srcdir)
    return str(target.relative_to(app.srcdir)) if outside and target.exists() else ""


def _bring_pictures(app: Sphinx, doctree: document) -> None:
    """Have the pictures that HTML in a page names, as for a dark screen, lie beside it on the site."""
    from docutils.nodes import raw
    from sphinx.util import logging

    folder = Path(app.env.docname).parent
    for node in doctree.findall(raw):
        for name in _PICTURE.findall(node.astext()):
            path = os.path.normpath(folder / name)
            if not (app.srcdir / path).is_file():
                logging.getLogger(__name__).warning("there is no picture %s", name, location=node)
                continue
            (app.outdir / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(app.srcdir / path, app.outdir / path)


def _repository() -> str:
    """Return where the files of the repository are seen, or nothing if that is not known."""
    name = os.environ.get("GITHUB_REPOSITORY")
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{name}/blob/main" if name else ""


def _mend_docstring(_: Sphinx, what: str, name: str, __: Any, ___: Any, lines: list[str]) -> None:
    """Have names lead somewhere, and what a named tuple says of its fields left out; warn of what says nothing."""
    from sphinx.util import logging

    if lines[:1] and lines[0].startswith("Alias for field number"):
        lines.clear()
    lines[:] = [_linked(line) for line in lines]
    if what in ("class", "exception", "function", "method", "property") and not any(lines):
        logging.getLogger(__name__).warning("%s has no docstring", name)


def _linked(line: str) -> str:
    """Have the errors and types that a docstring names be links, apart from code and from words of English."""
    import sched_core

    names = [name for name in sched_core.__all__ if re.match(r"([A-Z][a-z]+){2,}$", name)]
    named = re.compile(rf"(?<![\w`.])({'|'.join(names)})(?![\w`(])")
    return line if line.startswith(" ") else named.sub(r"`~sched_core.\1`", line)


def _look_for_public_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a public name that no page has."""
    from sphinx.util import logging

    known = env.domains.python_domain.objects
    for module in app.config.public_modules:
        for name in import_module(module).__all__:
            if f"{module}.{name}" not in known:
                logging.getLogger(__name__).warning("%s.%s is on no page", module, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register it."""
    app.add_config_value("public_modules", [], "env")
    app.connect("source-read", _fill_in)
    app.connect("doctree-read", _lead_outside, priority=400)  # before downloads are collected
    app.connect("doctree-read", _bring_pictures)
    app.connect("autodoc-process-docstring", _mend_docstring)
    app.connect("env-check-consistency", _look_for_public_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
