//go:build tools

// Package promtool pins what judges the alerts and the board: Prometheus' own tool.
package promtool

import _ "github.com/prometheus/prometheus/cmd/promtool"
