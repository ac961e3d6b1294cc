"""How the site is made: `python3 tools/dev.py run docs:build`, by Sphinx.

Its sources are the pages of the whole repository, each where it lies, so that a link is the same one on a
disk, on GitHub and on the site. Nothing is asked of the network.
"""

from importlib.metadata import version as version_of

project = "sched"
author = "the authors of sched"
copyright = author  # noqa: A001  # Sphinx's name for it
version = release = version_of("sched-meta")

extensions = ["myst_parser", "sphinx.ext.autodoc", "tools.docs.extension"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "packages/*/README.md",
    "packages/*/CHANGELOG.md",
    "examples/**README.md",
    "tests-integration/README.md",
    "tools/**README.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
]
exclude_patterns = [
    ".*",
    "**/.*",
    "dist*",
    "packages/*/src",
    "packages/*/tests",
    "sched-runs",
    "tools/new_backend",
]

html_theme = "furo"
html_title = "sched"
html_copy_source = False
html_show_sourcelink = False
html_extra_path = ["_extra"]

myst_heading_anchors = 4
suppress_warnings = [
    "misc.highlighting_failure",  # consoles show what is no code, such as a line of three points
]

default_role = "py:obj"  # what stands in backquotes in a docstring is code, and a link where it names something
autodoc_default_options = {
    "members": True,
    "imported-members": True,
    "undoc-members": True,
    "exclude-members": "pytestmark",
}
smartquotes = False  # `--shell` has two dashes
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 88

public_modules = [
    *(
        "sched_container",
        "sched_core",
        "sched_gbatch",
        "sched_hpc",
        "sched_local",
        "sched_meta",
        "sched_ssh",
    ),
    *("sched_core.testing.contract", "sched_core.testing.simulator"),
    *("sched_meta.htmlreport", "sched_meta.reading.results", "sched_meta.reading.runfolder"),
    "sched_meta.reading.watch",
]

nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),  # the role of all words in backquotes, most of which are no names
    (
        "py:.*",
        r"(?!sched_).*",
    ),  # others' names lead nowhere: their inventories would come from the network
    (
        "py:.*",
        r"sched_core\.testing\.simulator\.\w+\..*",
    ),  # the simulator's inside, which its parts show
    (
        "py:.*",
        r"sched_core\.ports\..*",
    ),  # the effects, which only the simulator puts others in place of
]
