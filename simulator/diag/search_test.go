package diag

import (
	"slices"
	"testing"
)

func TestSearch(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []Code // some of what is found
		not  []Code
	}{
		{"1311", []Code{DNSFindsNoDC}, []Code{NoRootKey}},
		{"0x51f", []Code{DNSFindsNoDC}, nil},
		{"131", nil, []Code{DNSFindsNoDC}},
		{"key does not   exist", []Code{NoRootKey, YoungRootKey}, []Code{DNSFindsNoDC}},
		{"trust relationship", []Code{ChannelDisplaced}, nil},
		{"KDC_ERR_S_PRINCIPAL_UNKNOWN", []Code{SPNUnknown}, nil},
		{"", nil, []Code{NoRootKey}},
		{"no Windows ever says this", nil, []Code{NoRootKey}},
	} {
		var got []Code
		for _, m := range Search(tt.text) {
			got = append(got, m.Code)
			if m.Line == "" || m.Title == "" {
				t.Errorf("%q: %s without a line or title", tt.text, string(m.Code))
			}
		}
		for _, c := range tt.want {
			if !slices.Contains(got, c) {
				t.Errorf("%q: got %q, want %s among them", tt.text, got, string(c))
			}
		}
		for _, c := range tt.not {
			if slices.Contains(got, c) {
				t.Errorf("%q: got %s", tt.text, string(c))
			}
		}
	}
}
