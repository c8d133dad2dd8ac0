package main

import (
	"errors"
	"os"
	"runtime/pprof"
)

// profileTo writes a profile of the processor to the file path+suffix until stop is called, which passes an error on. An empty path
// is none.
func profileTo(path, suffix string) (stop func(error) error, err error) {
	if path == "" {
		return func(err error) error { return err }, nil
	}
	f, err := os.Create(path + suffix)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func(err error) error {
		pprof.StopCPUProfile()
		return errors.Join(err, f.Close())
	}, nil
}
