//go:build tools

// Package s3 pins the S3-compatible server of the tests: a gateway to a folder of files.
package s3

import _ "github.com/versity/versitygw/cmd/versitygw"
