"""The version of this release: of the SDK, the operator, the trainer and the command alike."""

VERSION = "0.1.0"
