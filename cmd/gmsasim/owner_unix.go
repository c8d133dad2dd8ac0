//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// sameOwner gives a new file the owner of the one that it replaces, as far as the user may.
func sameOwner(f *os.File, old fs.FileInfo) error {
	stat, ok := old.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}
