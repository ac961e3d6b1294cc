"""A run as one HTML file: when its jobs ran and where, what they used, what failed."""

from .data import Report, read_report
from .render import render_report

__all__ = ["Report", "read_report", "render_report"]
