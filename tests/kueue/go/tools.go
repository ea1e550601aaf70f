//go:build tools

// Package kueue pins the queue of the tests: the controller, and with its module its manifests.
package kueue

import _ "sigs.k8s.io/kueue/cmd/kueue"
