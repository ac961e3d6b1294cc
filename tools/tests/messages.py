"""The messages of the sources: all texts, and those that a user sees as an error or a warning."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["GAP", "ROOT", "all_texts", "exceptions", "shown", "template"]

ROOT = Path(__file__).parents[2]
GAP = "{}"
"""Stands in a template for what is filled in."""

_FILLED = "\0"
_WARN = {"warn", "warning", "error"}
_FIELDS = {"reason", "error_msg"}
_TAKE_REASONS = {
    "Observation",
    "_gone",
    "report_failed",
    "_refuse",
    "cannot_be_asked",
    "engine_failed",
}
_PREFIX = re.compile(r"\A(error|warning): ")
_ALL_SHOWN = {"troubles", "link", "route", "differences"}
"""Modules all of whose sentences are shown."""
_CLICK = {"UsageError", "BadParameter", "ClickException"}
_NOT_SHOWN = {
    *("AssertionError", "AttributeError", "RuntimeError", "TypeError", "ValueError"),
    "Inexact",  # then the journal is read as a whole
}
"""What others catch, or what tells a programmer of a mistake."""


def template(text: str) -> str:
    """Return a message with a GAP for each run of placeholders, also those of logging (`%s`)."""
    while (filled := re.sub(r"\{[^{}]*\}|%[sdr]", _FILLED, text)) != text:
        text = filled
    return re.sub(f"'?{_FILLED}+'?", GAP, text)


def _sources() -> list[Path]:
    found = ROOT.glob("packages/*/src/**/*.py")
    return sorted(path for path in found if "testing" not in path.parts)


@cache
def _trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in _sources()}


def _text(node: ast.AST) -> str | None:
    """The text that an expression makes, with gaps; None where it is no literal text."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(v) or GAP for v in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = (_text(left), _text(right))
            return None if texts == (None, None) else "".join(t or GAP for t in texts)
    return None


def _documentation(tree: ast.AST) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _texts(tree: ast.Module) -> Iterator[str]:
    skipped = _documentation(tree)

    def visit(node: ast.AST) -> Iterator[str]:
        if id(node) in skipped:
            return
        text = _text(node)
        if text is None:
            for child in ast.iter_child_nodes(node):
                yield from visit(child)
        elif _says_something(text):
            yield template(text)

    return visit(tree)


def _says_something(text: str, least: int = 2) -> bool:
    words = re.findall(r"[^\W\d]{2,}", re.sub(r"\{[^{}]*\}", "", text))
    return len(words) >= least and "(?" not in text


@cache
def all_texts() -> frozenset[str]:
    """Templates of all texts in the sources, help and parts of messages included."""
    return frozenset(text for tree in _trees().values() for text in _texts(tree))


def exceptions() -> set[str]:
    """Names of all exceptions that the packages define for their users."""
    from sched_core import errors

    return set(errors.__all__)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _calls(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Each call with the function it stands in."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((outer, node) for node in ast.walk(outer) if isinstance(node, ast.Call))


def _resolved(function: ast.AST, node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be: also by a name that the function has given to one."""
    if (text := _text(node)) is not None:
        yield template(text)
    elif isinstance(node, ast.IfExp):
        yield from _resolved(function, node.body)
        yield from _resolved(function, node.orelse)
    elif isinstance(node, ast.Name):
        for given in ast.walk(function):
            if isinstance(given, ast.Assign) and _name(given.targets[0]) == node.id:
                yield from (
                    () if isinstance(given.value, ast.Name) else _resolved(function, given.value)
                )


def _message_of(call: ast.Call) -> list[ast.expr]:
    name = _name(call.func)
    said = [keyword.value for keyword in call.keywords if keyword.arg in _FIELDS]
    if name in exceptions() | _WARN | _CLICK and call.args:
        said.append(call.args[0])
    if name in _TAKE_REASONS:
        said.extend(call.args)
    if name == "say" and call.args and _PREFIX.match(_text(call.args[0]) or ""):
        said.append(call.args[0])
    return said


def _findings(tree: ast.Module) -> Iterator[str]:
    """What doctors find fault with: (check, False or None, detail)."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                match node:
                    case ast.Tuple(elts=[_, ast.Constant(value=True), _]):
                        continue
                    case ast.Tuple(elts=[_, _, detail]):
                        yield from _resolved(function, detail)


def _classified(tree: ast.Module) -> Iterator[str]:
    """What stands beside a class of failure: (Failure.LOST, "...")."""
    for node in ast.walk(tree):
        match node:
            case ast.Tuple(elts=[ast.Attribute(value=ast.Name(id="Failure")), said]):
                yield from _resolved(node, said)


def _raised(tree: ast.Module) -> Iterator[str]:
    """What exceptions of Python and of modules say that reach users as they are."""
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call() as call) if _name(call.func) not in _NOT_SHOWN:
                for said in call.args:
                    yield from _resolved(call, said)


@cache
def shown() -> frozenset[str]:
    """Templates of what users see as an error, a warning, a reason or a finding of a doctor."""
    found = set[str]()
    for path, tree in _trees().items():
        for function, call in _calls(tree):
            for said in _message_of(call):
                found.update(_resolved(function, said))
        found.update(_classified(tree))
        found.update(_raised(tree))
        if "doctor" in path.stem or path.stem == "checks":
            found.update(_findings(tree))
        if path.stem in _ALL_SHOWN:
            found.update(text for text in _texts(tree) if _says_something(text, 4))
    return frozenset(_PREFIX.sub("", text) for text in found if _says_something(text))
