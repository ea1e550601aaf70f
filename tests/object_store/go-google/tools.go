//go:build tools

// Package gcs pins the stand-in for Google Cloud Storage of the tests.
package gcs

import _ "github.com/fsouza/fake-gcs-server"
