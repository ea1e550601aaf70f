"""The site of the documentation: `make site`. Its pages are those of the repository, where they are, with their links."""

from trainingrun.version import VERSION

project = "TrainingRun"
author = copyright = "The TrainingRun authors"
release = version = VERSION

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "examples/**.md",
    "charts/**/README.md",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = ["docs/benchmarks/*.json"]
nitpicky = True

myst_heading_anchors = 4
myst_links_external_new_tab = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_extra_path = ["index.html"]
html_title = f"TrainingRun {VERSION}"
html_show_sourcelink = False
html_copy_source = False
