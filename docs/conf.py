"""Sphinx's configuration of the manual: Markdown, checked strictly, its examples run as tests."""

import pyuv

project = "pyuv"
copyright = "the pyuv developers"
version = release = pyuv.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

nitpicky = True
# The object inventories of other projects are not at hand where the manual is built without a network.
nitpick_ignore_regex = [("py:.*", r"(?!pyuv\b).*")]

autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_title = f"pyuv {version}"

# Only what is marked as an example is run, each page in a namespace of its own.
doctest_test_doctest_blocks = ""
doctest_global_setup = "import pyuv, pyuv.errno, pyuv.error"
