//go:build tools

// Package router pins the network plugin of the tests that enforces NetworkPolicies.
package router

import _ "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"
