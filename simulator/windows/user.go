package windows

import "strings"

// UserKind is what kind of account a process in a container runs as.
type UserKind uint8

// The kinds. The zero value stands for the default of the image, [DefaultUser].
const (
	ImageDefault UserKind = iota
	System
	NetworkService
	LocalService
	ContainerAdministrator
	ContainerUser
	AppPool        // IIS APPPOOL\name, the virtual account of an application pool
	VirtualService // NT SERVICE\name, the virtual account of a service
	DomainAccount  // DOMAIN\name or name@domain
	LocalUser      // any other account of the container
)

// User is an account that a process in a container runs as. The zero value stands for the default of the image.
type User struct {
	Kind UserKind
	// Name is the name in the form that Windows prints, for instance `NT AUTHORITY\NETWORK SERVICE`.
	Name string
}

// String is the name, "" for the default of the image.
func (u User) String() string { return u.Name }

// MarshalText is the name.
func (u User) MarshalText() ([]byte, error) { return []byte(u.Name), nil }

// UnmarshalText is [ParseUser].
func (u *User) UnmarshalText(text []byte) (err error) {
	*u, err = ParseUser(string(text))
	return err
}

var wellKnownUsers = []struct {
	User
	short []string
}{
	{User{System, `NT AUTHORITY\SYSTEM`}, []string{"system", "localsystem"}},
	{User{NetworkService, `NT AUTHORITY\NETWORK SERVICE`}, []string{"network service", "networkservice"}},
	{User{LocalService, `NT AUTHORITY\LOCAL SERVICE`}, []string{"local service", "localservice"}},
	{User{ContainerAdministrator, `User Manager\ContainerAdministrator`}, []string{"containeradministrator"}},
	{User{ContainerUser, `User Manager\ContainerUser`}, []string{"containeruser"}},
}

// ParseUser reads the value of docker run --user, of USER in a Dockerfile, of runAsUserName or of sc.exe config obj=. Well-known
// accounts may be given with or without their authority, in any case. The only names refused are those that claim an authority
// that has no such account, as `NT AUTHORITY\NETWRK SERVICE`; the error is a *[NameError].
func ParseUser(text string) (User, error) {
	name := strings.TrimSpace(text)
	if name == "" {
		return User{}, nil
	}
	if len(name) > maxName {
		return User{}, &NameError{Kind: KindUser, Name: text, Rule: "it is too long to be one"}
	}
	authority, short, qualified := strings.Cut(name, `\`)
	if !qualified {
		authority, short = "", name
	}
	authority, low := strings.ToLower(strings.TrimSpace(authority)), strings.ToLower(strings.TrimSpace(short))
	var names []string
	for _, w := range wellKnownUsers {
		own, _, _ := strings.Cut(w.Name, `\`)
		if qualified && authority != strings.ToLower(own) && authority != "." {
			continue
		}
		for _, s := range w.short {
			if s == low {
				return w.User, nil
			}
		}
		names = append(names, w.Name)
	}
	switch authority {
	case "iis apppool":
		return User{AppPool, `IIS APPPOOL\` + short}, nil
	case "nt service":
		return User{VirtualService, `NT SERVICE\` + short}, nil
	case "nt authority", "user manager":
		rule := "this authority has " + strings.Join(names, ", ")
		return User{}, &NameError{Kind: KindUser, Name: text, Rule: rule, Nearest: nearest(name, names)}
	case "":
		if _, _, isUPN := strings.Cut(name, "@"); isUPN {
			return User{DomainAccount, name}, nil
		}
		return User{LocalUser, short}, nil
	case ".", "builtin":
		return User{LocalUser, short}, nil
	}
	return User{DomainAccount, name}, nil
}

// account is the sAMAccountName of a domain account without the domain and the final $.
func (u User) account() string {
	name := u.Name
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	name, _, _ = strings.Cut(name, "@")
	return strings.TrimSuffix(name, "$")
}

// DefaultUser is the account that an image runs as when neither the image nor the command line names one (guide, "Run a container
// with a gMSA"; for the Nano Server, reports).
func DefaultUser(f Flavour) User {
	kind := ContainerAdministrator
	if f == NanoServer {
		kind = ContainerUser
	}
	for _, w := range wellKnownUsers {
		if w.Kind == kind {
			return w.User
		}
	}
	return User{}
}
