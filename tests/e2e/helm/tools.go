//go:build tools

// Package tools pins helm, which the chart's tests run; ../control-plane builds it.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
