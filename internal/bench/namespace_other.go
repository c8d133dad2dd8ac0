//go:build !linux

package main

import (
	"errors"
	"net"
)

// dialInNamespace fails: only Linux has network namespaces.
func dialInNamespace(_, _, _ string) (net.Conn, error) { return nil, errors.ErrUnsupported }
