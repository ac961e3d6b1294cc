"""A package with a scheduler of its own, made from a template: `python -m sched_core.testing.new_backend NAME`.

The template is a package that works, by a toy engine; what is replaced in it is its name.
"""
