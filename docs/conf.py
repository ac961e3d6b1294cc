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
]

html_theme = "furo"
html_title = "sched"
html_copy_source = False
html_show_sourcelink = False
html_extra_path = ["_extra"]
html_static_path = ["_static"]
html_css_files = ["wrapped.css"]

myst_heading_anchors = 4
smartquotes = False  # `--shell` has two dashes
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
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 88

public_modules = """
    sched_container sched_core sched_gbatch sched_hpc sched_local sched_meta sched_ssh
    sched_core.testing.contract sched_core.testing.simulator
    sched_meta.htmlreport sched_meta.reading.results sched_meta.reading.runfolder sched_meta.reading.watch
""".split()

nitpicky = True
nitpick_ignore_regex = [
    # The role of all words in backquotes, most of which are no names.
    ("py:obj", ".*"),
    # Others' names lead nowhere: their inventories would come from the network.
    ("py:.*", r"(?!sched_).*"),
    # The simulator's inside, and the effects that it puts others in place of: they are seen in signatures.
    ("py:.*", r"sched_core\.(testing\.simulator\.\w+|ports)\..*"),
]
