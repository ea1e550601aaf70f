"""Charts as SVG that a page holds: values in, markup out."""
