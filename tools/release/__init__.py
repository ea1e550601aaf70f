"""Make what a release consists of, from a commit, the same bytes each time (docs/how-to/release.md)."""
