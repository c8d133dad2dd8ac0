// Package gather reads the files below the paths that a user gives: what may hold a credential spec or a use of one, within limits, each once.
package gather

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// DefaultLimit is the size above which a file is refused. The largest carrier of credential specs, an object of the Kubernetes API, ends at 1.5 MiB
// (etcd's limit of a request).
const DefaultLimit = 4 << 20

// Options are how files are read.
type Options struct {
	// Limit is the size in bytes above which a file is refused; 0: [DefaultLimit].
	Limit int64
	// Stdin is read for the path "-", under the name StdinName ("" is "-").
	Stdin     io.Reader
	StdinName string
	// Changed are texts to be taken in the place of what files hold, by the path that they are read under.
	Changed map[string][]byte
}

// File is a file that was read.
type File struct {
	*source.File
	// Stored are the bytes as they are on disk.
	Stored []byte
	// Explicit is true for a path that was given itself, not found in a folder.
	Explicit bool
}

// Unread is a path that could not be read, and why.
type Unread struct {
	Name   string `json:"file"`
	Reason string `json:"reason"`
}

// Found is what walking the paths came to.
type Found struct {
	Unread []Unread
	// Folders are the folders that were looked through, Files the paths that were given or found; what a watcher has to watch.
	Folders, Files []string
}

// extensions are those of files that a folder is searched for.
var extensions = []string{".json", ".jsonl", ".yaml", ".yml", ".xml", ".hcl", ".nomad", ".tf", ".sh", ".ps1", ".psm1", ".cmd", ".bat", ".tpl"}

// Interesting tells whether a file found in a folder is read: by its extension, or as the side file of another.
func Interesting(name string) bool {
	if _, side := setup.SideOf(name); side {
		return true
	}
	base := filepath.Base(name)
	return !strings.HasPrefix(base, ".") && slices.Contains(extensions, strings.ToLower(filepath.Ext(base)))
}

// skippedFolder tells whether a folder below a given one is left out: hidden ones, and the downloaded packages of JavaScript.
func skippedFolder(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." && name != ".." || name == "node_modules"
}

// Walk reads every path and calls visit with each file, in the order of the paths and of names within folders. A path that leads to a file that was
// there before is passed over. Symbolic links to files are followed, those to folders only when they are given themselves, so there are no loops.
func Walk(paths []string, o Options, visit func(File)) Found {
	w := &walker{o: o, visit: visit, seen: map[string]bool{}}
	if w.o.Limit <= 0 {
		w.o.Limit = DefaultLimit
	}
	for _, path := range paths {
		if path == "-" {
			if !w.stdinRead {
				w.stdinRead = true
				w.stdin()
			}
			continue
		}
		w.path(path)
	}
	return w.found
}

type walker struct {
	o     Options
	visit func(File)
	seen  map[string]bool
	// stdinRead: what comes from the standard input is there once, as a file that is named twice is.
	stdinRead bool
	found     Found
}

func (w *walker) unread(name string, err error) {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	w.found.Unread = append(w.found.Unread, Unread{name, err.Error()})
}

func (w *walker) stdin() {
	name := w.o.StdinName
	if name == "" {
		name = "-"
	}
	if w.o.Stdin == nil {
		w.unread(name, errors.New("there is no standard input"))
		return
	}
	data, err := w.read(w.o.Stdin)
	if err != nil {
		w.unread(name, err)
		return
	}
	w.visit(File{File: source.NewFile(name, data), Stored: data, Explicit: true})
}

func (w *walker) path(path string) {
	info, err := os.Stat(path)
	if err != nil {
		w.unread(path, err)
		return
	}
	if !info.IsDir() {
		// What a side file says has to be known before its file is judged, and it is found although nobody names it.
		if side := setup.SideFile(path); isFile(side) {
			w.file(side, false)
		}
		w.file(path, true)
		return
	}
	_ = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			w.unread(name, err)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			if name != path && skippedFolder(d.Name()) {
				return fs.SkipDir
			}
			w.found.Folders = append(w.found.Folders, name)
		case d.Type()&fs.ModeSymlink != 0:
			if !Interesting(name) {
				return nil
			}
			switch target, err := os.Stat(name); {
			case err != nil:
				w.unread(name, err)
			case target.Mode().IsRegular():
				w.file(name, false)
			}
		case d.Type().IsRegular() && Interesting(name):
			w.file(name, false)
		}
		return nil
	})
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (w *walker) file(path string, explicit bool) {
	key := filepath.Clean(path)
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	w.found.Files = append(w.found.Files, path)
	data, ok := w.o.Changed[path]
	if !ok {
		var err error
		if data, err = w.open(path); err != nil {
			w.unread(path, err)
			return
		}
	}
	w.visit(File{File: source.NewFile(filepath.ToSlash(path), data), Stored: data, Explicit: explicit})
}

func (w *walker) open(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > w.o.Limit {
		return nil, tooLarge(info.Size(), w.o.Limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return w.read(f)
}

// read reads to the end, or one byte past the limit: a pipe has no size, and a file may grow.
func (w *walker) read(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, w.o.Limit+1))
	if err == nil && int64(len(data)) > w.o.Limit {
		err = tooLarge(int64(len(data)), w.o.Limit)
	}
	return data, err
}

func tooLarge(size, limit int64) error {
	return fmt.Errorf("%d bytes are more than the limit of %d; no carrier of credential specs takes one as large (--limit)", size, limit)
}
