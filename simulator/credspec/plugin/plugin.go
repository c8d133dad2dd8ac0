// Package plugin knows the plug-ins of Container Credential Guard that are public: the COM class of each, what its PluginInput has to look
// like, and what it expects in the secret. It reads texts and decides nothing else.
package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Make is who made a plug-in.
type Make string

// The makes, with the public source of each grammar.
const (
	// AzureKeyVault: ObjectId=<managed identity>;SecretUri=<uri>, secret DOMAIN\user:password (microsoft/Azure-Key-Vault-Plugin-gMSA).
	AzureKeyVault Make = "AzureKeyVault"
	// AWS: {"credentialArn":"<arn>"}, secret {"username","password","domainName"} in JSON (Amazon ECS and EKS documentation).
	AWS Make = "AWS"
	// Rancher: <namespace>:<secret>, the secret's keys username, password, domainName (rancher/Rancher-Plugin-gMSA).
	Rancher Make = "Rancher"
	// CcgVault: <path of ccgvault.yml>|<source> (briantist/CcgVault).
	CcgVault Make = "CcgVault"
	// TKGi: DOMAINNAME=…;USERNAME=…;PASSWORD=…, or keyVaultName=…;clientId=…;keyVaultSecret=… (TKGi-GMSA).
	TKGi Make = "TKGi"
	// Sample is the code of the Win32 documentation (ICcgDomainAuthCredentials): <domain>:<user>:<password>, no secret store.
	Sample Make = "Sample"
)

// table has the makes in the order in which a text is tried against their grammars: the most telling first.
var table = []struct {
	make                Make
	clsid, name         string
	input, secret, says string
}{
	{AWS, "{859E1386-BDB4-49E8-85C7-3070B13920E1}", "AWS", `{"credentialArn":"<arn>"}`, `{"username":"…","password":"…","domainName":"…"}`, ""},
	{AzureKeyVault, "{CCC2A336-D7F3-4818-A213-272B7924213E}", "Azure Key Vault", "ObjectId=<object id>;SecretUri=<uri>", `domain\user:password`, ""},
	{TKGi, "{f919de1a-efc4-4902-b7e5-56a314a87262}", "TKGi", "keyVaultName=<vault>;clientId=<id>;keyVaultSecret=<name>", "", ""},
	{CcgVault, "{01BF101D-BFB6-433F-B416-02885CDC5AD3}", "CcgVault", "<path of ccgvault.yml>|<source>", "", ""},
	{Rancher, "{e4781092-f116-4b79-b55e-28eb6a224e26}", "Rancher", "<namespace>:<secret>", `{"username":"…","password":"…","domainName":"…"}`, "Invalid Plugin Input Format"},
	{Sample, "{CFCA0441-511D-4B2A-862E-20348A78760B}", "Microsoft's sample code", "<domain>:<user>:<password>", "none", ""},
}

// Makes are all makes.
func Makes() []Make {
	list := make([]Make, 0, len(table))
	for _, r := range table {
		list = append(list, r.make)
	}
	return list
}

func (m Make) row() int {
	for i, r := range table {
		if r.make == m {
			return i
		}
	}
	return -1
}

// CLSID is the COM class that the make registers, in braces; "" for a make that is not known.
func (m Make) CLSID() string {
	if i := m.row(); i >= 0 {
		return table[i].clsid
	}
	return ""
}

// Name is the make in a sentence.
func (m Make) Name() string {
	if i := m.row(); i >= 0 {
		return table[i].name
	}
	return string(m)
}

// Grammar is what a make wants to read as its input, and in the secret ("" when that is not known).
func (m Make) Grammar() (input, secret string) {
	if i := m.row(); i >= 0 {
		return table[i].input, table[i].secret
	}
	return "", ""
}

// Says is what the plug-in itself writes when it does not understand its input, "" when that is not known.
func (m Make) Says() string {
	if i := m.row(); i >= 0 {
		return table[i].says
	}
	return ""
}

// ByCLSID is the make that registers a class. Braces may be missing and letters have any case: what is wrong with a GUID's form does not hide
// whose it is.
func ByCLSID(guid string) (Make, bool) {
	guid = strings.Trim(strings.TrimSpace(guid), "{}")
	for _, r := range table {
		if strings.EqualFold(strings.Trim(r.clsid, "{}"), guid) {
			return r.make, true
		}
	}
	return "", false
}

// User is a user of the domain, as a plug-in gives it to Container Credential Guard.
type User struct{ Domain, Name, Password string }

// Field is a part of an input, with the offset of its value in the text.
type Field struct {
	Key, Value string
	At         int
}

// Input is what a plug-in reads from its PluginInput.
type Input struct {
	// Secret is what to fetch and Identity who fetches it, where the input says so.
	Secret, Identity string
	// User is what the input itself holds; nil: it names a secret.
	User *User
	// Path and Source are the settings' file of CcgVault and the name of the source in it.
	Path, Source string
	// Fields are the parts of an input that has parts.
	Fields []Field
}

// ErrInput and ErrSecret: the plug-in does not understand its input, or what it fetched.
var (
	ErrInput  = errors.New("the input is not in the form of the plug-in")
	ErrSecret = errors.New("the secret is not in the form of the plug-in")
)

// FormError tells what is wrong with the form; it is [ErrInput] or [ErrSecret].
type FormError struct {
	Problem string
	kind    error
}

func (e *FormError) Error() string { return e.kind.Error() + ": " + e.Problem }
func (e *FormError) Unwrap() error { return e.kind }

func badInput(format string, args ...any) error {
	return &FormError{fmt.Sprintf(format, args...), ErrInput}
}

func badSecret(problem string) error { return &FormError{problem, ErrSecret} }

// Shape reads an input by its form alone: whether a name in it makes sense is not looked at. The error is a *[FormError].
func (m Make) Shape(input string) (Input, error) {
	switch m {
	case AzureKeyVault:
		in := Input{Fields: pairs(input)}
		in.Identity, in.Secret = in.Field("ObjectId").Value, in.Field("SecretUri").Value
		return in, in.demand("ObjectId", "SecretUri")
	case TKGi:
		in := Input{Fields: pairs(input)}
		if in.Field("keyVaultName").Key != "" || in.Field("keyVaultSecret").Key != "" {
			in.Secret, in.Identity = in.Field("keyVaultSecret").Value, in.Field("clientId").Value
			return in, in.demand("keyVaultName", "clientId", "keyVaultSecret")
		}
		in.User = &User{in.Field("DOMAINNAME").Value, in.Field("USERNAME").Value, in.Field("PASSWORD").Value}
		return in, in.demand("DOMAINNAME", "USERNAME", "PASSWORD")
	case AWS:
		return awsShape(input)
	case CcgVault:
		path, source, ok := strings.Cut(input, "|")
		if !ok || path == "" || source == "" || strings.Contains(source, "|") {
			return Input{}, badInput("it has %d parts around |, not a path and a source", strings.Count(input, "|")+1)
		}
		return Input{Path: path, Source: source, Fields: []Field{{"path", path, 0}, {"source", source, len(path) + 1}}}, nil
	case Rancher:
		namespace, name, _ := strings.Cut(input, ":")
		if n := strings.Count(input, ":"); n != 1 || namespace == "" || name == "" {
			return Input{}, badInput("it has %d colons and not one between a namespace and a secret", n)
		}
		return Input{Secret: input, Fields: []Field{{"namespace", namespace, 0}, {"secret", name, len(namespace) + 1}}}, nil
	}
	part := strings.SplitN(input, ":", 3)
	if len(part) != 3 {
		return Input{}, badInput("it has %d parts around colons, not a domain, a user and a password", len(part))
	}
	return Input{User: &User{part[0], part[1], part[2]}, Fields: []Field{{"domain", part[0], 0}, {"user", part[1], len(part[0]) + 1}, {"password", part[2], len(input) - len(part[2])}}}, nil
}

// awsShape reads {"credentialArn": …}; the plug-in ignores the case of the key.
func awsShape(input string) (Input, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(input), &members); err != nil {
		return Input{}, badInput("it is no JSON object: %v", err)
	}
	var in Input
	found := false
	for key, value := range members {
		if !strings.EqualFold(key, "credentialArn") {
			continue
		}
		if err := json.Unmarshal(value, &in.Secret); err != nil {
			return Input{}, badInput("%s is no string", key)
		}
		found = true
	}
	if !found {
		return Input{}, badInput("it has no credentialArn")
	}
	return in, nil
}

// Parse reads an input as the plug-in does: the form, and that the secret's name is one.
func (m Make) Parse(input string) (Input, error) {
	in, err := m.Shape(input)
	switch {
	case err != nil:
		return in, err
	case m == AzureKeyVault && (!strings.HasPrefix(strings.ToLower(in.Secret), "https://") || !strings.Contains(in.Secret, "/secrets/")):
		return in, badInput("SecretUri is no https URI of a secret")
	case m == AWS && !strings.HasPrefix(in.Secret, "arn:"):
		return in, badInput("credentialArn is no ARN")
	}
	return in, nil
}

// Field is the part of a key, whatever its case; Key is "" when there is none.
func (in Input) Field(key string) Field {
	for _, f := range in.Fields {
		if strings.EqualFold(f.Key, key) {
			return f
		}
	}
	return Field{}
}

func (in Input) demand(keys ...string) error {
	var missing []string
	for _, key := range keys {
		if in.Field(key).Value == "" {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return badInput("it has no %s", strings.Join(missing, " and no "))
	}
	return nil
}

// pairs are the parts of KEY=value;KEY=value.
func pairs(input string) []Field {
	var list []Field
	at := 0
	for part := range strings.SplitSeq(input, ";") {
		if key, value, ok := strings.Cut(part, "="); ok {
			list = append(list, Field{strings.TrimSpace(key), strings.TrimSpace(value), at + len(key) + 1 + len(value) - len(strings.TrimLeftFunc(value, unicode.IsSpace))})
		}
		at += len(part) + 1
	}
	return list
}

// Of is the make for which a text was written, by what only its grammar has; false: there is none, or none that is certain.
func Of(input string) (Make, bool) {
	for _, r := range table {
		if r.make.Fits(input) {
			return r.make, true
		}
	}
	return "", false
}

// Fits tells whether a text was written for a make. It is stricter than [Make.Shape] where a plug-in lets everything pass, and less strict where
// a text that lacks something is still in nobody else's form.
func (m Make) Fits(input string) bool {
	in, err := m.Shape(input)
	switch m {
	case AWS:
		return err == nil || strings.HasPrefix(input, "arn:")
	case AzureKeyVault:
		return in.Field("SecretUri").Key != "" || in.Field("ObjectId").Key != ""
	case TKGi:
		return in.Field("DOMAINNAME").Key != "" || in.Field("keyVaultName").Key != ""
	case CcgVault:
		return err == nil && strings.ContainsAny(in.Path, `\/.`)
	case Rancher:
		return err == nil && isLabel(in.Fields[0].Value) && isLabel(in.Fields[1].Value)
	}
	return err == nil && !strings.HasPrefix(input, "arn:") && !strings.ContainsAny(in.User.Domain, " /={}\"") && in.User.Domain != "" &&
		!strings.HasPrefix(in.User.Name, "//") && !strings.ContainsAny(in.User.Name, " /={}\"") && in.User.Name != ""
}

// isLabel tells whether a text may be the name of an object of Kubernetes.
func isLabel(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" && s[0] != '-' && s[0] != '.'
}

// SecretKeys are the keys that the JSON secrets have.
var secretKeys = []string{"username", "password", "domainName"}

// SecretKeys are the keys of a secret that has keys.
func SecretKeys() []string { return slices.Clone(secretKeys) }

// ParseSecret reads the value of a secret. The error is a *[FormError].
func (m Make) ParseSecret(value string) (User, error) {
	if m == AzureKeyVault {
		account, password, ok := strings.Cut(value, ":")
		domain, user, qualified := strings.Cut(account, `\`)
		switch {
		case !ok:
			return User{}, badSecret("it has no colon between the user and the password")
		case !qualified || domain == "" || user == "":
			return User{}, badSecret(`the user has no domain before it, as in domain\user`)
		case password == "":
			return User{}, badSecret("the password is empty")
		}
		return User{domain, user, password}, nil
	}
	var v struct{ Username, Password, DomainName string }
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		return User{}, badSecret("it is no JSON object of strings")
	}
	if v.Username == "" || v.Password == "" {
		return User{}, badSecret("it has no username or no password")
	}
	return User{v.DomainName, v.Username, v.Password}, nil
}

// Secret writes a user in the form of the make.
func (m Make) Secret(u User) string {
	if m == AzureKeyVault {
		return u.Domain + `\` + u.Name + ":" + u.Password
	}
	text, err := json.Marshal(struct {
		Username   string `json:"username"`
		Password   string `json:"password"`
		DomainName string `json:"domainName"`
	}{u.Name, u.Password, u.Domain})
	if err != nil {
		panic(err) // three texts can always be written
	}
	return string(text)
}
