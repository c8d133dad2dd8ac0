// Package catalog holds the scenario bundles that are built into the command. Package scenarios reads and runs them.
package catalog

import "embed"

// Files are the bundles, one txtar file each; the name is the id of the scenario.
//
//go:embed *.txtar
var Files embed.FS
