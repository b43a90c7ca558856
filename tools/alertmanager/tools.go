//go:build tools

// Package tools pins the commands of this family; nothing here is compiled into anything of ours.
package tools

import (
	_ "github.com/prometheus/alertmanager/cmd/alertmanager"
)
