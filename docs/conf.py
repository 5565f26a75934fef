"""How Sphinx builds these pages: `sphinx-build -W --keep-going -b html docs docs/_build/html`."""

import sys
from pathlib import Path

import arraygrad

sys.path.insert(0, str(Path(__file__).parent))

project = "arraygrad"
author = "The arraygrad developers"
copyright = "the arraygrad developers"
version = release = arraygrad.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "_generate_rules_table"]
exclude_patterns = ["_build", "examples", "reference/generated"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_mock_imports = ["ndonnx", "onnx", "onnxruntime"]  # extras that the pages do without
autodoc_typehints = "none"  # numpydoc's sections say it in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "furo"
html_title = f"arraygrad {version}"
html_show_sourcelink = False
