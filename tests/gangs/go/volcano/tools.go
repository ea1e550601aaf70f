//go:build tools

// Package volcano pins a scheduler of the tests: Volcano's, and with its module its CRDs.
package volcano

import _ "volcano.sh/volcano/cmd/scheduler"
