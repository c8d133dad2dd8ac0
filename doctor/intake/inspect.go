package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Inspected is a container as docker inspect prints it, with the keys that a world has a place for (Docker Engine API, ContainerInspect).
type Inspected struct {
	ID     string `json:"Id"`
	Name   string
	Config struct {
		Hostname, User, Image string
	}
	HostConfig struct {
		SecurityOpt []string
		Isolation   string
		NetworkMode string
		DNS         []string `json:"Dns"`
	}
	// ImageManifestDescriptor has the version of the image since Docker 28.
	ImageManifestDescriptor struct {
		Platform struct {
			OSVersion string `json:"os.version"`
		} `json:"platform"`
	}
	file string
}

// ParseInspect reads what docker inspect prints: a list of containers, or one of them as with --format '{{json .}}'.
func ParseInspect(file string, data []byte) ([]Inspected, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimSpace(data)
	var list []Inspected
	var err error
	if bytes.HasPrefix(text, []byte("{")) {
		list = make([]Inspected, 1)
		err = json.Unmarshal(data, &list[0])
	} else {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		return nil, jsonError(file, data, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no container; docker inspect prints a list", file)
	}
	for i := range list {
		if list[i].ID == "" && list[i].Config.Image == "" && list[i].HostConfig.SecurityOpt == nil {
			return nil, fmt.Errorf("%s: item %d is no container: it has neither Id nor Config", file, i+1)
		}
		list[i].file = file
	}
	return list, nil
}

// jsonError gives a JSON error its line and column.
func jsonError(file string, data []byte, err error) error {
	at, ok := jsonOffset(data, err)
	if !ok {
		return fmt.Errorf("%s: %w", file, err)
	}
	line, column := position(data, at)
	return &scenarios.SourceError{Place: scenarios.Place{File: file, Line: line, Column: column}, Problem: err.Error()}
}

// jsonOffset is where a JSON error is.
func jsonOffset(data []byte, err error) (at int, ok bool) {
	offset := int64(-1)
	if e, isSyntax := errors.AsType[*json.SyntaxError](err); isSyntax {
		offset = e.Offset
	} else if e, isType := errors.AsType[*json.UnmarshalTypeError](err); isType {
		offset = e.Offset
	}
	return int(offset), offset >= 0 && offset <= int64(len(data))
}

// position is the line and the column of the byte before at, from 1.
func position(data []byte, at int) (line, column int) {
	head := data[:max(0, at-1)]
	return bytes.Count(head, []byte("\n")) + 1, len(head) - bytes.LastIndexByte(head, '\n')
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// name is the container's in a world.
func (in *Inspected) name() string {
	n := strings.Trim(notInName.ReplaceAllString(strings.TrimPrefix(in.Name, "/"), "-"), "-")
	if n == "" {
		n = "app"
	}
	return n[:min(len(n), 40)]
}

// container is what docker run was told.
func (in *Inspected) container(report *Report) doctor.Container {
	c := doctor.Container{Name: in.name()}
	say := func(list *[]Remark, format string, args ...any) { remark(list, in.file, 0, format, args...) }
	if h := in.Config.Hostname; h != "" && !strings.HasPrefix(in.ID, strings.ToLower(h)) {
		c.Hostname = h
	}
	var err error
	if c.Image, err = windows.ParseImage(in.Config.Image); err != nil {
		of := "the host's release"
		if v := in.ImageManifestDescriptor.Platform.OSVersion; v != "" {
			if c.Image, err = windows.ParseImage("servercore:" + v); err == nil {
				of = v
			}
		}
		say(&report.Assumed, "%s is built on a Server Core of %s: its name does not say so", in.Config.Image, term(of))
	}
	if c.Isolation, err = windows.ParseIsolation(in.HostConfig.Isolation); err != nil {
		say(&report.Ignored, "isolation %q: %s", term(in.HostConfig.Isolation), term(err.Error()))
	}
	if c.User, err = windows.ParseUser(in.Config.User); err != nil {
		say(&report.Ignored, "user %q: %s", in.Config.User, term("not taken over"))
	}
	c.SecurityOpts = slices.Clone(in.HostConfig.SecurityOpt)
	if n := len(c.SecurityOpts); n > 0 { // the last one counts
		if spec, ok := strings.CutPrefix(c.SecurityOpts[n-1], "credentialspec="); ok {
			c.CredentialSpec, c.SecurityOpts = spec, c.SecurityOpts[:n-1]
		}
	}
	if len(in.HostConfig.DNS) > 0 {
		say(&report.Assumed, "%s asks %s, which know the domain; a world file says dns: when they do not", c.Name, strings.Join(in.HostConfig.DNS, " and "))
	}
	return c
}
