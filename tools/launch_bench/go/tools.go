//go:build tools

// Package launch pins the operator that the launch is compared with, and with its module its manifests.
package launch

import _ "github.com/kubeflow/mpi-operator/cmd/mpi-operator"
