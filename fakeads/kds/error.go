package kds

import "fmt"

// Error is a refusal of the service. The errors of this package that have an
// HRESULT wrap one, so errors.As finds it and errors.Is compares.
type Error struct {
	HRESULT uint32
	Text    string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (0x%08X)", e.Text, e.HRESULT) }

// The refusals, with the codes that the service answers over RPC.
var (
	// ErrNoKey: no root key has that id, or none serves that time (NTE_NO_KEY).
	ErrNoKey = &Error{0x8009000D, "key does not exist"}
	// ErrBadKey: the root key cannot be used: not 64 bytes, an unknown hash or
	// version, no time to start at (NTE_BAD_KEY).
	ErrBadKey = &Error{0x80090003, "bad key"}
	// ErrInvalidArgument: not an interval, one in the future, or a key that is
	// never handed out (E_INVALIDARG).
	ErrInvalidArgument = &Error{0x80070057, "the parameter is incorrect"}
	// ErrTooManyKeys: more than MaxRootKeys (the Win32 code 4 as an HRESULT).
	ErrTooManyKeys = &Error{0x80070004, "the system cannot open the file"}
	// ErrUnavailable: the service does not run (the Win32 code 1722, RPC_S_SERVER_UNAVAILABLE, as an HRESULT).
	//
	// guess: a domain controller whose key distribution service does not run answers with 800706BA; no capture shows it
	ErrUnavailable = &Error{0x800706BA, "the RPC server is unavailable"}
	// ErrAccessDenied: the caller may not have this key (E_ACCESSDENIED).
	ErrAccessDenied = &Error{0x80070005, "access is denied"}
)

// Malformed is the error about a structure that cannot be read.
type Malformed struct {
	What   string // the structure
	Reason string
}

func (e *Malformed) Error() string { return "malformed " + e.What + ": " + e.Reason }
