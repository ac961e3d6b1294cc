"""Hooks for plugins and hosts."""

from .caller import HookErrors, Hooks
from .specs import HookSpecs, hookimpl, hookspec

__all__ = ["HookErrors", "HookSpecs", "Hooks", "hookimpl", "hookspec"]
