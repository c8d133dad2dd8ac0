package arn

import (
	"errors"
	"strings"
	"testing"
)

func TestSecretFaults(t *testing.T) {
	for text, want := range map[string]string{
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa":         "",
		"arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:x": "",
		"arn:aws:ssm:eu-west-1:111122223333:parameter/team/gmsa":            "",
		"":                       "empty",
		"gmsa":                   "begin with arn:",
		"arn:aws:secretsmanager": "3 sections",
		"arn:aws:secretsmanager:eu-west-1:111122223:secret:gmsa":     "9 digits",
		"arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:gmsa":       `account "ACCOUNT"`,
		"arn:aws:secretsmanager:aws-region:111122223333:secret:gmsa": `region "aws-region"`,
		"arn:aws:secretsmanager:eu-west-1:111122223333:gmsa":         "secret:NAME",
		"arn:aws:ssm:eu-west-1:111122223333:gmsa":                    "parameter/NAME",
		"arn:aws:s3:eu-west-1:111122223333:gmsa":                     `service "s3"`,
		"arn:amazon:secretsmanager:eu-west-1:111122223333:secret:x":  `partition "amazon"`,
	} {
		got := strings.Join(SecretFaults(text), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	if _, err := Parse("x"); !errors.Is(err, ErrPrefix) {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("arn:aws:s3"); !errors.Is(err, ErrSections) {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: what was read is written as it was.
func FuzzParse(f *testing.F) {
	f.Add("arn:aws:s3:::bucket/key")
	f.Add("arn:aws:ssm:eu-west-1:111122223333:parameter/a:b")
	f.Add("arn:")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := Parse(text); err == nil && a.String() != text {
			t.Errorf("%q became %q", text, a)
		}
		SecretFaults(text)
	})
}
