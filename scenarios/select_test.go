package scenarios

import (
	"strings"
	"testing"
)

// A bundle that is named is read alone; what else is asked of the catalogue is found all the same.
func TestSelectByID(t *testing.T) {
	for _, tc := range []struct {
		patterns []string
		want     string
	}{
		{[]string{"kds-key-too-young"}, "kds-key-too-young"},
		{[]string{"catalog/spn-duplicate", "kds-key-too-young", "spn-duplicate"}, "spn-duplicate kds-key-too-young"},
		{[]string{"trust-tree-*"}, "trust-tree-name-is-child"},
	} {
		list, err := Select(tc.patterns...)
		if err != nil {
			t.Errorf("%v: %v", tc.patterns, err)
		}
		var ids []string
		for _, b := range list {
			ids = append(ids, b.ID)
		}
		if got := strings.Join(ids, " "); got != tc.want {
			t.Errorf("%v: got %s, want %s", tc.patterns, got, tc.want)
		}
	}
	if _, err := Select("kds-key-too-yung"); err == nil || !strings.Contains(err.Error(), "nearest: kds-key-too-young") {
		t.Errorf("got %v, want the nearest id", err)
	}
}

// Windows editors save with a byte order mark, and sometimes as UTF-16.
func TestByteOrderMark(t *testing.T) {
	var got struct {
		A string `yaml:"a"`
	}
	if _, err := Decode("f.yaml", []byte("\ufeffa: b\n"), &got); err != nil || got.A != "b" {
		t.Errorf("with a byte order mark: got %q, %v", got.A, err)
	}
	if _, err := Decode("f.yaml", []byte("\xff\xfea\x00:\x00"), &got); err == nil || !strings.Contains(err.Error(), "f.yaml:1:1: the file is UTF-16") {
		t.Errorf("UTF-16: got %v", err)
	}
}
