package diag

import (
	"slices"
	"strings"
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

// TestSearchWhatWindowsPrints has the texts and numbers that administrators meet; each leads to the codes behind it.
func TestSearchWhatWindowsPrints(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []Code // some of what is found
	}{
		{"1311", []Code{DNSFindsNoDC, DCUnreachable}},
		{"1355", []Code{DNSFindsNoDC}},
		{"1786", []Code{NotAllowed, ChannelDisplaced}},
		{"1787", []Code{HostnameDiffers, MachineFlagLost}},
		{"1789", []Code{ChannelDisplaced}},
		{"1722", []Code{NoCredentialSpec}},
		{"1326", []Code{"GMSA313"}},
		{"0x52e", []Code{"GMSA313"}},
		{"0x8007052e", []Code{"GMSA313"}},
		{"0x6fb", []Code{HostnameDiffers}},
		{"0x8009030e", []Code{WrongAppUser, NoCredentialSpec, NotAllowed}},
		{"-2146893042", []Code{NoCredentialSpec}},
		{"0xC000005E", []Code{DNSFindsNoDC, DCUnreachable}},
		{"0xc000018a", []Code{ChannelDisplaced}},
		{"0xc000018b", []Code{HostnameDiffers, MachineFlagLost, SPNUnknown}},
		{"0xc0000133", []Code{"GMSA603"}},
		{"0xc00002fd", []Code{"GMSA204"}},
		{"0xc0370101", []Code{"GMSA311"}},
		{"0xc0370109", []Code{GMSAIsolation}},
		{"18456", []Code{LoginMissing}},
		{"5719", []Code{DNSFindsNoDC, DCUnreachable}},
		{"5720", []Code{HostnameDiffers, ChannelDisplaced}},
		{"5723", []Code{HostnameDiffers, MachineFlagLost}},
		{"2947", []Code{"GMSA103"}},
		{"9000", []Code{NotAllowed}},
		{"9001", []Code{"GMSA204"}},
		{"Key does not exist", []Code{NoRootKey, YoungRootKey}},
		{"trust relationship", []Code{HostnameDiffers, ChannelDisplaced}},
		{"Cannot generate SSPI context", []Code{"GMSA504"}},
		{"ANONYMOUS LOGON", []Code{WrongAppUser}},
		// Kerberos errors by number and by name.
		{"6", []Code{"GMSA104"}},
		{"7", []Code{SPNUnknown, SPNDuplicate}},
		{"0x7", []Code{SPNUnknown, SPNDuplicate}},
		{"KDC_ERR_S_PRINCIPAL_UNKNOWN", []Code{SPNUnknown, SPNDuplicate}},
		{"0xe", []Code{"GMSA204"}},
		{"KDC_ERR_ETYPE_NOSUPP", []Code{"GMSA204"}},
		{"KDC_ERR_ETYPE_NOTSUPP", []Code{"GMSA204"}},
		{"0x12", []Code{"GMSA506"}},
		{"KDC_ERR_CLIENT_REVOKED", []Code{"GMSA506"}},
		{"0x18", []Code{"GMSA505"}},
		{"0x25", []Code{"GMSA603"}},
		{"KRB_AP_ERR_SKEW", []Code{"GMSA603"}},
		{"0x29", []Code{"GMSA504"}},
		{"KRB_AP_ERR_MODIFIED", []Code{"GMSA504"}},
	} {
		var got []Code
		for _, m := range Search(tt.text) {
			got = append(got, m.Code)
		}
		if !slices.IsSorted(got) {
			t.Errorf("%q: got %q, want them in the order of codes", tt.text, got)
		}
		for _, c := range tt.want {
			if !slices.Contains(got, c) {
				t.Errorf("%q: got %q, want %s among them", tt.text, got, string(c))
			}
		}
	}
}

// TestPagesHaveFiveParts: what it means, how it looks, why, what repairs it and what looks alike.
func TestPagesHaveFiveParts(t *testing.T) {
	for _, e := range All() {
		page, _ := Explain(e.Code)
		_, meaning, _ := strings.Cut(page, "\n\n")
		if strings.HasPrefix(meaning, "#") || strings.TrimSpace(meaning) == "" {
			t.Errorf("%s: nothing says what it means", string(e.Code))
		}
		at := 0
		for _, part := range []string{"\n## How it looks\n", "\n## Why\n", "\n## What repairs it\n", "\n## What looks alike\n"} {
			i := strings.Index(page[at:], part)
			if i < 0 {
				t.Errorf("%s: lacks the part %q, or has it in another place", string(e.Code), strings.TrimSpace(part))
				continue
			}
			at += i
		}
	}
}
