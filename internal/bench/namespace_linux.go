package main

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// dialInNamespace dials inside a network namespace. A socket stays in the namespace it was made in, so only the thread that makes it
// has to go there; that thread ends with its goroutine.
func dialInNamespace(path, network, addr string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread must not serve other goroutines
		conn, err := func() (net.Conn, error) {
			ns, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, fmt.Errorf("enter %s: %w", path, err)
			}
			return net.Dial(network, addr)
		}()
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}
