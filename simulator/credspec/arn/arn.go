// Package arn reads Amazon resource names, with the words of the SDK when a text is none.
package arn

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ARN is an Amazon resource name: arn:partition:service:region:account:resource.
type ARN struct{ Partition, Service, Region, Account, Resource string }

func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Errors of the SDK's own parser, which credential spec readers pass on (aws-sdk-go-v2 aws/arn).
var (
	ErrPrefix   = errors.New("arn: invalid prefix")
	ErrSections = errors.New("arn: not enough sections")
)

// Parse cuts a name into its sections and looks at nothing else (aws-sdk-go-v2 aws/arn.Parse).
func Parse(text string) (ARN, error) {
	if !strings.HasPrefix(text, "arn:") {
		return ARN{}, ErrPrefix
	}
	part := strings.SplitN(text, ":", 6)
	if len(part) != 6 {
		return ARN{}, ErrSections
	}
	return ARN{part[1], part[2], part[3], part[4], part[5]}, nil
}

// Sections of an ARN as AWS documents them (AWS general reference, "Identify AWS resources with Amazon Resource Names").
var (
	partition = regexp.MustCompile(`^aws(-[a-z]+)*$`)
	region    = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]$`)
	account   = regexp.MustCompile(`^[0-9]{12}$`)
)

// SecretFaults are what is wrong with the ARN of a secret of Secrets Manager or of a parameter of Systems Manager, one phrase each; none: it
// is well formed.
func SecretFaults(text string) []string {
	a, err := Parse(text)
	switch {
	case text == "":
		return []string{"is empty"}
	case errors.Is(err, ErrPrefix):
		return []string{"does not begin with arn:"}
	case err != nil:
		return []string{fmt.Sprintf("has %d sections, where arn:partition:service:region:account:resource has 6", strings.Count(text, ":")+1)}
	}
	if a.Service != "secretsmanager" && a.Service != "ssm" {
		return []string{fmt.Sprintf("is of the service %q, where secretsmanager belongs", a.Service)}
	}
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if !partition.MatchString(a.Partition) {
		add("names the partition %q instead of aws or aws-…", a.Partition)
	}
	if !region.MatchString(a.Region) {
		add("names the region %q, which is none like eu-west-1", a.Region)
	}
	if !account.MatchString(a.Account) {
		if strings.Trim(a.Account, "0123456789") == "" {
			add("has an account of %d digits instead of 12", len(a.Account))
		} else {
			add("has the account %q instead of 12 digits", a.Account)
		}
	}
	switch a.Service {
	case "secretsmanager":
		if name, ok := strings.CutPrefix(a.Resource, "secret:"); !ok || name == "" {
			add("ends in %q, where secret:NAME belongs", a.Resource)
		}
	case "ssm":
		if name, ok := strings.CutPrefix(a.Resource, "parameter/"); !ok || name == "" {
			add("ends in %q, where parameter/NAME belongs", a.Resource)
		}
	}
	return faults
}
