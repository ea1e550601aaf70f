"""The one version of this repository: SDK, operator, trainer, images and chart are released together."""

VERSION = "0.1.0"
"""A version of https://semver.org, without a leading v. `make release-notes` writes it."""
