//go:build tools

// Package coscheduling pins a scheduler of the tests: the one of scheduler-plugins, and with its module its CRD.
package coscheduling

import _ "sigs.k8s.io/scheduler-plugins/cmd/scheduler"
