package fakekdc

import "testing"

// TestAllowedETypes: what the domain controllers do not use at all is no key of an account, as a client or as a service.
func TestAllowedETypes(t *testing.T) {
	const aes = ETypeBitAES128 | ETypeBitAES256
	for _, tc := range []struct {
		name              string
		allowed, account  uint32
		signIn, asService ErrorCode
	}{
		{"all of them, RC4 alone", 0, ETypeBitRC4, ErrCodePreauthRequired, 0},
		{"AES, RC4 alone", aes, ETypeBitRC4, ErrCodeETypeNoSupport, ErrCodeETypeNoSupport},
		{"AES, both", aes, ETypeBitRC4 | ETypeBitAES128, ErrCodePreauthRequired, 0},
		{"AES, nothing said", aes, 0, ErrCodePreauthRequired, ErrCodeETypeNoSupport},
		{"RC4, AES alone", ETypeBitRC4, aes, ErrCodeETypeNoSupport, ErrCodeETypeNoSupport},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t)
			tgt := l.tgt("alice")
			l.k.Policy.AllowedETypes = tc.allowed
			l.d.account("web$").SupportedETypes = tc.account
			a := l.tgsAsk(tgt, "host/web")
			a.etypes = []int32{18, 17, 23}
			l.tgs(a)
			if l.last.Code != tc.asService {
				t.Errorf("ticket: got %v, want %v", l.last.Code, tc.asService)
			}
			l.d.account("legacy$").SupportedETypes = tc.account
			ask := asAsk("legacy$")
			ask.etypes = []int32{18, 17, 23}
			l.read(l.k.Exchange(l.Context(), ask.encode(ask.body())), nil, 0) // the hints come before the proof
			if l.last.Code != tc.signIn {
				t.Errorf("sign-in: got %v, want %v", l.last.Code, tc.signIn)
			}
		})
	}
}
