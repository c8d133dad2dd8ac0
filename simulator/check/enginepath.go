package check

import "strings"

// engineFolder is where the engine looks for credential specs in its default data root (moby daemon/oci_windows.go).
const engineFolder = `C:\ProgramData\docker\CredentialSpecs`

// windowsClean is what Go's filepath.Clean makes of a relative path on Windows: one kind of separator, without . and without .. that can be
// resolved.
func windowsClean(path string) string {
	var parts []string
	for _, p := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		switch {
		case p == ".":
		case p == ".." && len(parts) > 0 && parts[len(parts)-1] != "..":
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, `\`)
}

// hasDrive tells whether a path begins with a drive's letter.
func hasDrive(path string) bool {
	return len(path) >= 2 && path[1] == ':' && path[0]|0x20 >= 'a' && path[0]|0x20 <= 'z'
}

// isSeparator tells what divides the parts of a path on Windows.
func isSeparator(c byte) bool { return c == '/' || c == '\\' }

// windowsAbsolute tells whether Go on Windows takes a path for an absolute one, as the daemon asks: C:\x and \\host\share\x, but not \x nor C:x.
func windowsAbsolute(path string) bool {
	if len(path) >= 2 && isSeparator(path[0]) && isSeparator(path[1]) {
		return true
	}
	return hasDrive(path) && len(path) > 2 && isSeparator(path[2])
}

// escapes tells whether a relative path leaves the folder that it is joined to.
func escapes(path string) bool {
	clean := windowsClean(path)
	if clean != ".." && !strings.HasPrefix(clean, `..\`) {
		return false
	}
	// Back into the folder itself, by its own name.
	rest, ok := cutPrefixFold(clean, `..\CredentialSpecs`)
	return !ok || rest != "" && rest[0] != '\\'
}

// daemonRefuses tells whether the daemon notices a path that leaves its folder: it compares the joined path with the folder's as text, so that
// a folder beside it whose name only begins alike passes.
func daemonRefuses(path string) bool {
	clean := windowsClean(path)
	folder := strings.Split(engineFolder, `\`)
	for strings.HasPrefix(clean, `..`) && len(folder) > 1 {
		folder = folder[:len(folder)-1]
		clean = strings.TrimPrefix(strings.TrimPrefix(clean, `..`), `\`)
	}
	return !strings.HasPrefix(strings.Join(append(folder, clean), `\`), engineFolder)
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
