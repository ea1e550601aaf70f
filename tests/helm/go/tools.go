//go:build tools

// Package helm pins the Helm of the tests.
package helm

import _ "helm.sh/helm/v4/cmd/helm"
