//go:build tools

// Package tools pins kwok, which keeps Nodes without machines for the long form of the tests; ../control-plane builds it.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
