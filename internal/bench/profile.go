package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiles are the beginnings of the names of files with profiles of our processes; empty: none.
type profiles struct{ cpu, memory string }

// of is p for one process or part of it.
func (p profiles) of(name string) profiles {
	for _, s := range []*string{&p.cpu, &p.memory} {
		if *s != "" {
			*s += "." + name
		}
	}
	return p
}

// arguments are the flags that give p to a child.
func (p profiles) arguments() []string {
	var args []string
	if p.cpu != "" {
		args = append(args, "-cpuprofile", p.cpu)
	}
	if p.memory != "" {
		args = append(args, "-memprofile", p.memory)
	}
	return args
}

// start profiles the processor until stop is called, which writes what is in memory then and passes an error on.
func (p profiles) start() (stop func(error) error, err error) {
	finish := func() error { return nil }
	if p.cpu != "" {
		f, err := os.Create(p.cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		finish = func() error {
			pprof.StopCPUProfile()
			return f.Close()
		}
	}
	return func(err error) error { return errors.Join(err, finish(), p.writeMemory()) }, nil
}

func (p profiles) writeMemory() error {
	if p.memory == "" {
		return nil
	}
	f, err := os.Create(p.memory)
	if err != nil {
		return err
	}
	runtime.GC()
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}
