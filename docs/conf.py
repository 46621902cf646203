"""Sphinx's configuration of the manual: Markdown, checked strictly, its examples run as tests."""

import shutil
from pathlib import Path

import pyuv

# What an earlier build has made there of names that are not listed any more would be described again.
shutil.rmtree(Path(__file__).parent / "reference", ignore_errors=True)

project = "pyuv"
copyright = "the pyuv developers"
version = release = pyuv.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nitpicky = True
# The object inventories of other projects are not at hand where the manual is built without a network.
# Nor do the package's private modules stand in the manual.
nitpick_ignore_regex = [("py:.*", r"(?!pyuv\b).*"), ("py:.*", r"pyuv\.(.*\.)?_.*")]

# docs/reference is made of the docstrings, which mark code as Markdown does.
templates_path = ["_templates"]
default_role = "literal"
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
# The types stand in the stubs, and a word such as bytes is the name of attributes too.
autodoc_typehints = "none"

html_theme = "furo"
html_title = f"pyuv {version}"

# Only what is marked as an example is run, each page in a namespace and a folder of its own.
doctest_test_doctest_blocks = ""
doctest_global_setup = """
import contextlib, tempfile
_scratch = contextlib.ExitStack()
_scratch.enter_context(contextlib.chdir(_scratch.enter_context(tempfile.TemporaryDirectory())))
"""
doctest_global_cleanup = "_scratch.close()"


def leave_out_docstrings_of_types(app, what, name, obj, options, lines):
    """A constant has no docstring of its own: what autodoc finds is that of int or dict."""
    if what == "data":
        lines.clear()


def setup(app):
    app.connect("autodoc-process-docstring", leave_out_docstrings_of_types)
