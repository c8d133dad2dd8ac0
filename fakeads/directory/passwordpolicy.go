package directory

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// passwordPolicy is what the domain object says about passwords ([MS-ADTS] 3.1.1.3.1.5, [MS-SAMR] 3.1.1.7).
type passwordPolicy struct {
	minLength        int
	history          int
	complex          bool // pwdProperties & DOMAIN_PASSWORD_COMPLEX
	minAge, maxAge   time.Duration
	lockoutThreshold int // 0: never
	lockoutDuration  time.Duration
	lockoutWindow    time.Duration
}

// domainPasswordComplex is a bit of pwdProperties ([MS-SAMR] 2.2.3.5).
const domainPasswordComplex = 1

// accepts tells whether a new password is good enough for an account of these names: its length in UTF-16 units, and characters of
// three of five categories that do not spell the account's own name ([MS-SAMR] 3.1.1.7.2).
func (p *passwordPolicy) accepts(password, sam, displayName string) bool {
	if len(utf16.Encode([]rune(password))) < p.minLength {
		return false
	}
	return !p.complex || categories(password) >= 3 && !spells(password, sam, displayName)
}

// categories counts the kinds of characters.
func categories(password string) int {
	var upper, lower, digit, other, symbol int
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case r >= '0' && r <= '9':
			digit = 1
		case unicode.IsLetter(r):
			other = 1
		case r < unicode.MaxASCII && !unicode.IsControl(r):
			symbol = 1
		}
	}
	return upper + lower + digit + other + symbol
}

// shortestName is from how many characters on a name must not be in a password.
const shortestName = 3

// spells tells whether a password contains the account's name or a part of its display name.
func spells(password, sam, displayName string) bool {
	folded := strings.ToLower(password)
	if len([]rune(sam)) >= shortestName && strings.Contains(folded, strings.ToLower(sam)) {
		return true
	}
	for _, part := range strings.FieldsFunc(displayName, func(r rune) bool { return strings.ContainsRune(",.-_# \t", r) }) {
		if len([]rune(part)) >= shortestName && strings.Contains(folded, strings.ToLower(part)) {
			return true
		}
	}
	return false
}
