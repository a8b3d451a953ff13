//go:build tools

// Package tools pins helm 4, with which the long form of the tests runs the chart's tests again; ../control-plane builds
// it.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
