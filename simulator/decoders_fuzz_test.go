package simulator

import (
	"errors"
	"strings"
	"testing"
)

// FuzzPluginInput: each make of plug-in understands its input, or refuses it with the one error that stands for that.
func FuzzPluginInput(f *testing.F) {
	f.Add("ObjectId=1;SecretUri=https://v.vault.azure.net/secrets/g")
	f.Add(`{"credentialArn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:gmsa"}`)
	f.Add("web:gmsa")
	f.Add("contoso.com:ccguser:a:b")
	f.Fuzz(func(t *testing.T, input string) {
		for _, kind := range []PluginKind{AzureKeyVault, AWSPlugin, RancherPlugin, SamplePlugin} {
			r, err := kind.parse(input)
			switch {
			case err != nil && !errors.Is(err, errInput):
				t.Errorf("%s: got %v, want errInput", kind, err)
			case err == nil && r.secret == "" && r.user == nil:
				t.Errorf("%s: took the input and knows neither secret nor user", kind)
			}
			if u, err := kind.user(&Secret{Value: input}); err == nil && (u.user == "" || u.password == "") {
				t.Errorf("%s: a secret with the user %q", kind, u.user)
			} else if err != nil && !errors.Is(err, errSecretForm) {
				t.Errorf("%s: got %v, want errSecretForm", kind, err)
			}
		}
	})
}

// FuzzConnectionString: the name that a connection string asks a ticket for is one name of the service MSSQLSvc.
func FuzzConnectionString(f *testing.F) {
	f.Add("Server=tcp:db.contoso.com,1433;Integrated Security=SSPI")
	f.Add(`Data Source=db\SQL1 ; User ID=sa; Password=x;y`)
	f.Add("server;=;;")
	f.Fuzz(func(t *testing.T, text string) {
		if spn := parseConnectionString(text).spn(); !strings.HasPrefix(spn, "MSSQLSvc/") || !strings.Contains(spn, ":") {
			t.Errorf("%q: got %q", text, spn)
		}
	})
}
