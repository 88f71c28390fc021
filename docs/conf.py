"""Configuration of the documentation. `python dev.py docs` builds it; the source folder is the repository's root."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import atlas

project = "Atlas"
author = "The Atlas authors"
project_copyright = "the Atlas authors"
release = version = atlas.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "atlas_docs"]
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md",
    "docs/**",
]
# Named so that no time goes into walking through them.
exclude_patterns = [".*", "build", "dist", "src", "tests", "bench", "docs/_ext", "**/__pycache__"]

# Pages read well on GitHub too: links are to files, and headings have GitHub's anchors.
myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence"]
# Types of other packages, whose documentation is not fetched.
nitpick_ignore_regex = [("py:.*", ".*")]

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_ipywidgets_js = {}

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
python_maximum_signature_line_length = 100

html_theme = "furo"
html_title = f"Atlas {release}"
html_static_path = []
html_show_sphinx = False
