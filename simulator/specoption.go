package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// securityOpts are the values of --security-opt in their order.
func (c Container) securityOpts() []string {
	list := c.SecurityOpts
	if c.CredentialSpec != "" && c.Handover.reaches() {
		list = append(list[:len(list):len(list)], "credentialspec="+c.CredentialSpec)
	}
	return list
}

// specFault is what is wrong with an option, a file or its contents.
type specFault string

const (
	badOption   specFault = "option" // the engine does not understand it
	badPath     specFault = "path"   // no flat name below the folder
	noSuchSpec  specFault = "absent"
	badDocument specFault = "document" // Windows cannot read it
)

// specError: the engine cannot give a container the credential spec that it was told.
type specError struct {
	r               *Running
	fault           specFault
	reference, file string // option, and the name in it
	text            string // of the engine
	path            string // of the file that was read
	err             error  // *specTextError
}

func (e *specError) Error() string { return e.text }
func (e *specError) Unwrap() error { return e.err }

// loadSpecs reads the credential specs of all options. Each has to be good, and the last one counts (moby, daemon/oci_windows.go).
func (r *Running) loadSpecs() error {
	for _, option := range r.cfg.securityOpts() {
		spec, err := r.loadSpec(option)
		if err != nil {
			if e, ok := errors.AsType[*specError](err); ok && e.fault == badDocument && r.host.Build >= windows.Build1809 {
				r.h.ccgLog(3, "Container Credential Guard failed to parse the credential spec. Error: %s", reasonParse)
			}
			return err
		}
		if r.spec != nil {
			r.replaced = append(r.replaced, r.spec)
		}
		r.spec = spec
	}
	return nil
}

// loadSpec finds the credential spec that an option names, with the engine's own words when it cannot (moby, daemon/oci_windows.go). The
// engine does not look into the document; Windows does when it creates the container. An empty file gives a container without a spec.
func (r *Running) loadSpec(option string) (*credentialSpec, error) {
	h := r.h
	e := &specError{r: r, fault: badOption, reference: option}
	fail := func(format string, args ...any) error {
		e.text = fmt.Sprintf(format, args...)
		return e
	}
	scheme, value, err := consumer.MobyOption(option, false)
	if err != nil {
		return nil, fail("%s", err.Error())
	}
	e.file = value
	var text []byte
	switch scheme {
	case "file":
		folder := h.CredentialSpecFolder()
		name := strings.ReplaceAll(value, "/", `\`)
		if strings.HasPrefix(name, `\`) || len(name) > 1 && name[1] == ':' {
			e.fault = badPath
			return nil, fail("invalid credential spec: file:// path cannot be absolute")
		}
		path := pathBelow(folder, name)
		// The engine compares the beginning of the texts, so that a neighbour of the folder with a longer name passes.
		if !strings.HasPrefix(path, strings.ToLower(folder)) {
			e.fault = badPath
			return nil, fail("invalid credential spec: file:// path must be under %s", folder)
		}
		var ok bool
		if text, ok = h.storedSpec(path); !ok {
			e.fault = noSuchSpec
			why := "The system cannot find the file specified."
			if strings.ContainsAny(name, `"<>|?*:`) {
				why = "The filename, directory name, or volume label syntax is incorrect." // ERROR_INVALID_NAME
			}
			return nil, fail(`failed to load credential spec for container %s: open %s\%s: %s`, r.id, folder, name, why)
		}
		e.path = folder + `\` + name
		if len(text) == 0 {
			return nil, nil
		}
	case "registry":
		if text, err = r.registrySpec(value); err != nil {
			return nil, err
		}
	default:
		text = []byte(value)
	}
	s, err := parseSpec(text)
	if err != nil {
		e.fault, e.err = badDocument, err
		// guess: an unreadable document ends with STATUS_INVALID_PARAMETER, as reports have it for an empty object
		return nil, fail("container %s encountered an error during CreateContainer: failure in a Windows system call: An invalid parameter was passed to a service or function. (0xc000000d)", r.id)
	}
	s.path = e.path
	return s, nil
}
