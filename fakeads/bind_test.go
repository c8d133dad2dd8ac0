package fakeads

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

func TestSimpleBind(t *testing.T) {
	const logonFailure = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v4f7c\x00"
	tests := []struct {
		name, password string
		code           int
		text, who      string
	}{
		{"", "", 0, "", ""},
		{"alice@contoso.com", "", 0, "", ""},
		{"alice@contoso.com", alicePassword, 0, "", `u:CONTOSO\alice`},
		{`CONTOSO\alice`, alicePassword, 0, "", `u:CONTOSO\alice`},
		{"CN=alice,CN=Users," + contoso, alicePassword, 0, "", `u:CONTOSO\alice`},
		{administrator, adminPassword, 0, "", `u:CONTOSO\Administrator`},
		{"alice@contoso.com", "wrong", resultInvalidCredentials, logonFailure, ""},
		{"nobody@contoso.com", "wrong", resultInvalidCredentials, logonFailure, ""},
		{"CN=nobody," + contoso, "wrong", resultInvalidCredentials, logonFailure, ""},
	}
	w := newWorld(t, nil)
	p := w.pipe()
	for _, tt := range tests {
		p.ask(bindOp(administrator, adminPassword)) // a bind that fails leaves nothing of it
		rep := p.ask(bindOp(tt.name, tt.password))
		if rep.code != tt.code || rep.text != tt.text {
			t.Errorf("%s %q: got %d %q, want %d %q", tt.name, tt.password, rep.code, rep.text, tt.code, tt.text)
		}
		if rep := p.ask(extendedOp(oidWhoAmI, nil)); string(rep.value) != tt.who {
			t.Errorf("%s %q: got identity %q, want %q", tt.name, tt.password, rep.value, tt.who)
		}
	}
	op := w.traced(KindBind)[5]
	if op.Account != `CONTOSO\alice` || op.Text != "simple alice@contoso.com" || op.Layer != "plain" || op.ResultName != "success" {
		t.Errorf("got operation %+v", op)
	}
}

// TestAccountStates: the reason shows to those who know the password.
func TestAccountStates(t *testing.T) {
	w := newWorld(t, nil)
	disabled := user("disabled", alicePassword)
	disabled.Attributes[2] = directory.Text("userAccountControl", "514")
	w.populate(disabled,
		user("expired", alicePassword, directory.Text("accountExpires", "132000000000000000")),
		user("change", alicePassword, directory.Text("pwdLastSet", "0")),
		user("hours", alicePassword, directory.Attribute{Name: "logonHours", Values: [][]byte{make([]byte, 21)}}))
	p := w.pipe()
	for _, tt := range []struct{ name, password, want string }{
		{"disabled", alicePassword, "data 533,"},
		{"disabled", "wrong", "data 52e,"},
		{"expired", alicePassword, "data 701,"},
		{"change", alicePassword, "data 773,"},
		{"hours", alicePassword, "data 530,"},
	} {
		rep := p.ask(bindOp(tt.name+"@contoso.com", tt.password))
		if rep.code != resultInvalidCredentials || !strings.Contains(rep.text, tt.want) {
			t.Errorf("%s %q: got %d %q, want 49 with %q", tt.name, tt.password, rep.code, rep.text, tt.want)
		}
	}
}

func TestLogonHour(t *testing.T) {
	hours := make([]byte, 21)
	hours[0] = 1 << 3 // Sunday from three to four
	hours[15] = 1     // Friday, hour 0
	for _, tt := range []struct {
		t    string
		want bool
	}{{"2019-05-05T03:59:00Z", true}, {"2019-05-05T04:00:00Z", false}, {"2019-05-03T00:30:00Z", true}, {"2019-05-03T02:30:00+02:00", true}} {
		at, err := time.Parse(time.RFC3339, tt.t)
		if err != nil {
			t.Fatal(err)
		}
		if got := logonHour(hours, at); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.t, got, tt.want)
		}
	}
}

func TestRefusedMechanisms(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	sicily := func(choice byte, token string) []byte {
		return element(opBindRequest, number(tagInteger, 3), octets(""), element(tagContext|choice, []byte(token)))
	}
	ntlm := []byte("NTLMSSP\x00\x01\x00\x00\x00\x97\x82\x08\xe2")
	for _, tt := range []struct {
		name        string
		op          []byte
		code        int
		text        string
		notModelled string
	}{
		{"Sicily discovery", sicily(9, ""), resultInvalidCredentials, "8009030C: LdapErr: ", "Sicily authentication (NTLM)"},
		{"Sicily negotiate", sicily(10, string(ntlm)), resultInvalidCredentials, "8009030C: LdapErr: ", "Sicily authentication (NTLM)"},
		{"NTLM in SPNEGO", saslOp(mechanismSPNEGO, ntlm), resultInvalidCredentials, "8009030C: LdapErr: ", "NTLM authentication"},
		{"DIGEST-MD5", saslOp(mechanismDigestMD5, nil), resultAuthMethodNotSupported, "00002027: ", "SASL mechanism DIGEST-MD5"},
		{"EXTERNAL", saslOp(mechanismExternal, nil), resultAuthMethodNotSupported, "00002027: ", "SASL mechanism EXTERNAL"},
		{"unknown", saslOp("SCRAM-SHA-1", []byte("n,,")), resultAuthMethodNotSupported, "00002027: ", ""},
		{"no mechanism", saslOp("", nil), resultAuthMethodNotSupported, "00002027: ", ""},
		{"nonsense as a token", saslOp(mechanismGSSAPI, []byte{1, 2, 3}), resultInvalidCredentials, "80090308: ", ""},
		{"version 1", element(opBindRequest, number(tagInteger, 1), octets(""), []byte{tagContext, 0}), resultProtocolError, "", ""},
	} {
		rep := p.ask(tt.op)
		if rep.code != tt.code || !strings.HasPrefix(rep.text, tt.text) {
			t.Errorf("%s: got %d %q, want %d %q…", tt.name, rep.code, rep.text, tt.code, tt.text)
		}
		if ops := w.traced(KindBind); ops[len(ops)-1].NotModelled != tt.notModelled {
			t.Errorf("%s: got not modelled %q, want %q", tt.name, ops[len(ops)-1].NotModelled, tt.notModelled)
		}
	}
	if rep := p.ask(rootDSEOp); rep.code != 0 {
		t.Errorf("got %+v, want success after all that", rep)
	}
}

// establish runs the messages of a SASL bind and returns the last answer. With
// GSSAPI the context is alone; the layer follows.
func (p *peer) establish(mechanism string, i *gss.Initiator) *reply {
	p.t.Helper()
	var in []byte
	for {
		out, done, err := i.Step(in)
		if err != nil {
			p.t.Fatalf("initiator: %v", err)
		}
		if out == nil && done && mechanism == mechanismSPNEGO {
			p.t.Fatal("the acceptor says that the bind is not finished")
		}
		if out == nil {
			out = []byte{}
		}
		rep := p.ask(saslOp(mechanism, out))
		if rep.code != resultSASLBindInProgress {
			if rep.code == 0 && rep.creds != nil {
				if _, done, err := i.Step(rep.creds); err != nil || !done {
					p.t.Fatalf("initiator on the last answer: done %v, %v", done, err)
				}
			}
			return rep
		}
		if done {
			return rep // the offer of layers
		}
		in = rep.creds
	}
}

// bindGSSAPI is RFC 4752 with a choice of layer.
func (p *peer) bindGSSAPI(i *gss.Initiator, layer gss.Layer, authzid string) *reply {
	p.t.Helper()
	rep := p.establish(mechanismGSSAPI, i)
	if rep.code != resultSASLBindInProgress {
		return rep
	}
	choice, peerMax, err := gss.ChooseLayer(i.Context(), rep.creds, layer, 1<<16, authzid)
	if err != nil {
		p.t.Fatal(err)
	}
	if peerMax != gss.MaxBuffer {
		p.t.Errorf("got a buffer of %#x, want %#x", peerMax, gss.MaxBuffer)
	}
	rep = p.ask(saslOp(mechanismGSSAPI, choice))
	if rep.code == 0 && layer != gss.LayerNone {
		p.framing = &gss.Framing{Context: i.Context(), Layer: layer, PeerMax: peerMax}
	}
	return rep
}

const secure = gss.FlagMutual | gss.FlagReplay | gss.FlagSequence | gss.FlagConf | gss.FlagInteg

func TestGSSAPI(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     ticketOptions
		flags gss.Flags
		layer gss.Layer
		want  string
	}{
		{"sealed", ticketOptions{}, secure, gss.LayerConfidentiality, "seal"},
		{"signed", ticketOptions{}, secure, gss.LayerIntegrity, "sign"},
		{"none", ticketOptions{}, secure, gss.LayerNone, "plain"},
		{"not mutual", ticketOptions{}, gss.FlagConf | gss.FlagInteg, gss.LayerConfidentiality, "seal"},
		{"RC4 sealed", ticketOptions{sessionType: krbcrypt.RC4HMAC}, secure, gss.LayerConfidentiality, "seal"},
		{"RC4 signed", ticketOptions{sessionType: krbcrypt.RC4HMAC, serviceType: krbcrypt.RC4HMAC}, secure, gss.LayerIntegrity, "sign"},
		{"AES128", ticketOptions{sessionType: krbcrypt.AES128SHA1}, secure, gss.LayerConfidentiality, "seal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			cfg := w.ticket(tt.o)
			cfg.Flags = tt.flags
			p := w.pipe()
			if rep := p.bindGSSAPI(gss.NewInitiator(cfg), tt.layer, ""); rep.code != 0 {
				t.Fatalf("got %d %q, want success", rep.code, rep.text)
			}
			for range 3 {
				if rep := p.ask(extendedOp(oidWhoAmI, nil)); string(rep.value) != `u:CONTOSO\alice` {
					t.Errorf("got identity %q", rep.value)
				}
			}
			if ops := w.traced(KindBind); len(ops) != 1 || ops[0].Layer != tt.want || ops[0].Account != `CONTOSO\alice` {
				t.Errorf("got %+v, want one bind of alice with layer %s", ops, tt.want)
			}
			if rep := p.ask(bindOp(administrator, adminPassword)); rep.code != 0 { // the layer stays
				t.Errorf("got %d, want success", rep.code)
			}
		})
	}
}

func TestSPNEGO(t *testing.T) {
	for _, tt := range []struct {
		name  string
		flags gss.Flags
		empty bool
		text  string
	}{
		{"sealed", secure, false, "GSS-SPNEGO seal"},
		{"signed", secure &^ gss.FlagConf, false, "GSS-SPNEGO sign"},
		{"none", gss.FlagMutual, false, "GSS-SPNEGO none"},
		{"after an empty bind", secure, true, "GSS-SPNEGO seal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			cfg := w.ticket(ticketOptions{})
			cfg.Flags, cfg.SPNEGO = tt.flags, true
			p := w.pipe()
			if tt.empty {
				if rep := p.ask(saslOp(mechanismSPNEGO, nil)); rep.code != resultSASLBindInProgress || len(rep.creds) == 0 {
					t.Fatalf("got %d with % x, want 14 with the mechanisms", rep.code, rep.creds)
				}
			}
			i := gss.NewInitiator(cfg)
			if rep := p.establish(mechanismSPNEGO, i); rep.code != 0 {
				t.Fatalf("got %d %q, want success", rep.code, rep.text)
			}
			if layer := gss.LayerOf(i.Context()); layer != gss.LayerNone {
				p.framing = &gss.Framing{Context: i.Context(), Layer: layer}
			}
			if rep := p.ask(extendedOp(oidWhoAmI, nil)); string(rep.value) != `u:CONTOSO\alice` {
				t.Errorf("got identity %q", rep.value)
			}
			if ops := w.traced(KindBind); len(ops) != 1 || ops[0].Text != tt.text {
				t.Errorf("got %+v, want one bind %q", ops, tt.text)
			}
		})
	}
}

// TestBareAPReq is what impacket sends: an AP-REQ without a header.
func TestBareAPReq(t *testing.T) {
	w := newWorld(t, nil)
	cfg := w.ticket(ticketOptions{})
	i := gss.NewInitiator(cfg)
	framed, _, err := i.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(framed), "\x01\x00\x6e")
	p := w.pipe()
	if rep := p.ask(saslOp(mechanismSPNEGO, framed[at+2:])); rep.code != 0 {
		t.Fatalf("got %d %q, want success", rep.code, rep.text)
	}
	if rep := p.ask(extendedOp(oidWhoAmI, nil)); string(rep.value) != `u:CONTOSO\alice` {
		t.Errorf("got identity %q", rep.value)
	}
}

func TestGSSRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		o      ticketOptions
		change func(*gss.InitiatorConfig)
		text   string
		creds  bool // a token tells why
	}{
		{"expired", ticketOptions{end: domainTime.Add(-time.Hour)}, nil, "80090317: ", true},
		{"skew", ticketOptions{}, func(c *gss.InitiatorConfig) { c.Now = func() time.Time { return domainTime.Add(time.Hour) } }, "80090324: ", true},
		{"altered ticket", ticketOptions{}, func(c *gss.InitiatorConfig) { c.Ticket[len(c.Ticket)-1] ^= 1 }, "8009030F: ", true},
		{"no PAC", ticketOptions{noPAC: true}, nil, "8009030C: ", false},
		{"forged PAC", ticketOptions{forged: true}, nil, "8009030C: ", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			cfg := w.ticket(tt.o)
			cfg.Flags = secure
			if tt.change != nil {
				tt.change(&cfg)
			}
			p := w.pipe()
			token, _, err := gss.NewInitiator(cfg).Step(nil)
			if err != nil {
				t.Fatal(err)
			}
			rep := p.ask(saslOp(mechanismGSSAPI, token))
			if rep.code != resultInvalidCredentials || !strings.HasPrefix(rep.text, tt.text) {
				t.Errorf("got %d %q, want 49 with %q", rep.code, rep.text, tt.text)
			}
			if tt.creds && len(rep.creds) == 0 {
				t.Error("got no token along with the refusal")
			}
			if rep := p.ask(extendedOp(oidWhoAmI, nil)); string(rep.value) != "" {
				t.Errorf("got identity %q, want anonymous", rep.value)
			}
		})
	}
}

func TestReplayedAuthenticator(t *testing.T) {
	w := newWorld(t, nil)
	token, _, err := gss.NewInitiator(w.ticket(ticketOptions{})).Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep := w.pipe().ask(saslOp(mechanismSPNEGO, token)); rep.code != 0 {
		t.Fatalf("got %d %q, want success", rep.code, rep.text)
	}
	if rep := w.pipe().ask(saslOp(mechanismSPNEGO, token)); rep.code != resultInvalidCredentials {
		t.Errorf("got %d, want 49 the second time", rep.code)
	}
}

func TestAuthorizationIdentity(t *testing.T) {
	for authzid, code := range map[string]int{
		"u:alice": 0, "alice@CONTOSO.COM": 0, `u:CONTOSO\alice`: 0, "u:Administrator": resultInvalidCredentials,
	} {
		w := newWorld(t, nil)
		cfg := w.ticket(ticketOptions{})
		cfg.Flags = secure
		if rep := w.pipe().bindGSSAPI(gss.NewInitiator(cfg), gss.LayerNone, authzid); rep.code != code {
			t.Errorf("%s: got %d, want %d", authzid, rep.code, code)
		}
	}
}

// TestSealedAnswersAreSplit: 300 KB in one answer reach a client with a small buffer.
func TestSealedAnswersAreSplit(t *testing.T) {
	w := newWorld(t, nil)
	big := strings.Repeat("0123456789", 30000)
	w.populate(user("big", alicePassword, directory.Text("jpegPhoto", big)))
	cfg := w.ticket(ticketOptions{})
	cfg.Flags = secure
	p := w.dial(w.listen((*Server).Serve))
	if rep := p.bindGSSAPI(gss.NewInitiator(cfg), gss.LayerConfidentiality, ""); rep.code != 0 {
		t.Fatalf("got %d %q, want success", rep.code, rep.text)
	}
	rep, entries := p.collect(searchOp(contoso, directory.Subtree, equal("sAMAccountName", "big"), "jpegPhoto"), control{oid: oidDomainScope})
	if rep.code != 0 || len(entries) != 1 || len(entries[0].attrs) != 1 || string(entries[0].attrs[0].Values[0]) != big {
		t.Fatalf("got %d %q and %d entries, want the large value", rep.code, rep.text, len(entries))
	}
}

// TestOctetsBeforeTheLayer: what follows a bind without waiting for its answer is not taken as
// sealed, and the connection ends.
func TestOctetsBeforeTheLayer(t *testing.T) {
	w := newWorld(t, nil)
	cfg := w.ticket(ticketOptions{})
	cfg.Flags, cfg.SPNEGO = secure, true
	token, _, err := gss.NewInitiator(cfg).Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := w.dial(w.listen((*Server).Serve))
	p.write(append(envelope(1, saslOp(mechanismSPNEGO, token)), envelope(2, rootDSEOp)...))
	if rep := p.read(); rep == nil || rep.code != resultProtocolError {
		t.Errorf("got %+v, want protocolError", rep)
	}
	if rep := p.read(); rep != nil {
		t.Errorf("got %+v, want the end", rep)
	}
}

// TestUnsealedInSealed: a sealed session takes nothing in clear.
func TestUnsealedInSealed(t *testing.T) {
	w := newWorld(t, nil)
	cfg := w.ticket(ticketOptions{})
	cfg.Flags = secure
	p := w.pipe()
	if rep := p.bindGSSAPI(gss.NewInitiator(cfg), gss.LayerConfidentiality, ""); rep.code != 0 {
		t.Fatalf("got %d, want success", rep.code)
	}
	p.framing = &gss.Framing{Context: p.framing.Context, Layer: gss.LayerIntegrity}
	p.send(rootDSEOp)
	if err := <-p.done; err == nil || !strings.Contains(err.Error(), "not sealed") {
		t.Errorf("got %v, want that a buffer is not sealed", err)
	}
}

func TestRequireSigning(t *testing.T) {
	const text = `00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if SSL\TLS are not already active on the connection, data 0, v4563` + "\x00"
	w := newTLSWorld(t, func(cfg *Config) { cfg.RequireSigning, cfg.Build = true, 0x4563 })
	p := w.pipe()
	if rep := p.ask(bindOp(administrator, adminPassword)); rep.code != resultStrongerAuthRequired || rep.text != text {
		t.Errorf("simple: got %d %q, want 8 %q", rep.code, rep.text, text)
	}
	if rep := p.ask(bindOp("", "")); rep.code != 0 {
		t.Errorf("anonymous: got %d, want 0", rep.code)
	}
	for layer, code := range map[gss.Layer]int{gss.LayerNone: resultStrongerAuthRequired, gss.LayerIntegrity: 0, gss.LayerConfidentiality: 0} {
		cfg := w.ticket(ticketOptions{})
		cfg.Flags = secure
		if rep := w.pipe().bindGSSAPI(gss.NewInitiator(cfg), layer, ""); rep.code != code {
			t.Errorf("layer %d: got %d, want %d", layer, rep.code, code)
		}
	}
	c, err := ldap.DialURL("ldaps://"+w.listen((*Server).ServeTLS), ldap.DialWithTLSConfig(w.clientTLS()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Bind(administrator, adminPassword); err != nil {
		t.Errorf("simple over TLS: %v", err)
	}
}

// overTLS is a connection through the TLS listener.
func (w *world) overTLS(addr string) *peer {
	w.t.Helper()
	c, err := tls.Dial("tcp", addr, w.clientTLS())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return &peer{t: w.t, conn: c}
}

func TestSASLOverTLS(t *testing.T) {
	w := newTLSWorld(t, nil)
	addr := w.listen((*Server).ServeTLS)
	const text = "00002029: LdapErr: DSID-0C090709, comment: Cannot start kerberos signing/sealing when using TLS/SSL, data 0, v4f7c\x00"
	good := endPointBindings(&tls.Certificate{Certificate: [][]byte{w.cert.Raw}})
	bad := gss.HashBindings([]byte("tls-server-end-point:another"))
	for _, tt := range []struct {
		name     string
		flags    gss.Flags
		layer    gss.Layer
		bindings *[16]byte
		code     int
		text     string
	}{
		{"none", secure, gss.LayerNone, nil, 0, ""},
		{"signed", secure, gss.LayerIntegrity, nil, resultInappropriateAuth, text},
		{"sealed", secure, gss.LayerConfidentiality, nil, resultInappropriateAuth, text},
		{"bindings", secure, gss.LayerNone, good, 0, ""},
		{"wrong bindings", secure, gss.LayerNone, &bad, resultInvalidCredentials,
			"80090346: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 80090346, v4f7c\x00"},
	} {
		cfg := w.ticket(ticketOptions{})
		cfg.Flags, cfg.Bindings = tt.flags, tt.bindings
		p := w.overTLS(addr)
		rep := p.bindGSSAPI(gss.NewInitiator(cfg), tt.layer, "")
		if rep.code != tt.code || rep.text != tt.text {
			t.Errorf("%s: got %d %q, want %d %q", tt.name, rep.code, rep.text, tt.code, tt.text)
		}
	}
	cfg := w.ticket(ticketOptions{})
	cfg.Flags, cfg.SPNEGO = secure, true
	if rep := w.overTLS(addr).establish(mechanismSPNEGO, gss.NewInitiator(cfg)); rep.code != resultInappropriateAuth {
		t.Errorf("SPNEGO sealed: got %d, want 48", rep.code)
	}
}

// TestBindingsOfGetCertificate: the hash is that of the certificate which was given.
func TestBindingsOfGetCertificate(t *testing.T) {
	authority := &world{t: t}
	cert := authority.certificate()
	w := newWorld(t, func(cfg *Config) {
		cfg.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }}
	})
	w.cert, w.pool = authority.cert, authority.pool
	bad := gss.HashBindings([]byte("tls-server-end-point:another"))
	cfg := w.ticket(ticketOptions{})
	cfg.Flags, cfg.Bindings = secure, &bad
	if rep := w.overTLS(w.listen((*Server).ServeTLS)).bindGSSAPI(gss.NewInitiator(cfg), gss.LayerNone, ""); rep.code != resultInvalidCredentials {
		t.Errorf("got %d, want 49", rep.code)
	}
}

func TestStartTLS(t *testing.T) {
	w := newTLSWorld(t, nil)
	addr := w.listen((*Server).Serve)
	t.Run("keeps the identity", func(t *testing.T) {
		p := w.dial(addr)
		p.ask(bindOp(administrator, adminPassword))
		if rep := p.ask(extendedOp(oidStartTLS, nil)); rep.code != 0 || rep.name != oidStartTLS {
			t.Fatalf("got %+v, want success with the name of the operation", rep)
		}
		p.conn = tls.Client(p.conn, w.clientTLS())
		if rep := p.ask(extendedOp(oidWhoAmI, nil)); string(rep.value) != `u:CONTOSO\Administrator` {
			t.Errorf("got identity %q", rep.value)
		}
		if rep := p.ask(extendedOp(oidStartTLS, nil)); rep.code != resultOperationsError {
			t.Errorf("a second time: got %d, want 1", rep.code)
		}
	})
	t.Run("octets behind the request", func(t *testing.T) {
		p := w.dial(addr)
		p.write(append(envelope(1, extendedOp(oidStartTLS, nil)), envelope(2, rootDSEOp)...))
		if rep := p.read(); rep == nil || rep.code != resultOperationsError {
			t.Errorf("got %+v, want operationsError", rep)
		}
		if rep := p.read(); rep == nil || rep.op != opSearchEntry {
			t.Errorf("got %+v, want the entry that was asked for in clear", rep)
		}
	})
	t.Run("handshake that fails", func(t *testing.T) {
		p := w.dial(addr)
		p.ask(extendedOp(oidStartTLS, nil))
		p.write([]byte("this is no TLS hello"))
		buf := make([]byte, 64)
		for {
			if _, err := p.conn.Read(buf); err != nil {
				break
			}
		}
	})
	t.Run("on a sealed connection", func(t *testing.T) {
		cfg := w.ticket(ticketOptions{})
		cfg.Flags = secure
		p := w.pipe()
		p.bindGSSAPI(gss.NewInitiator(cfg), gss.LayerConfidentiality, "")
		if rep := p.ask(extendedOp(oidStartTLS, nil)); rep.code != resultOperationsError {
			t.Errorf("got %d, want 1", rep.code)
		}
	})
}

func TestStartTLSWithoutCertificate(t *testing.T) {
	if rep := newWorld(t, nil).pipe().ask(extendedOp(oidStartTLS, nil)); rep.code != resultUnavailable {
		t.Errorf("got %d, want 52", rep.code)
	}
}

func TestFastBind(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	if rep := p.ask(extendedOp(oidFastBind, nil)); rep.code != 0 {
		t.Fatalf("got %d, want success", rep.code)
	}
	if rep := p.ask(bindOp(administrator, adminPassword)); rep.code != 0 {
		t.Errorf("got %d, want success", rep.code)
	}
	if rep := p.ask(bindOp(administrator, "wrong")); rep.code != resultInvalidCredentials {
		t.Errorf("got %d, want 49", rep.code)
	}
	if rep := p.ask(extendedOp(oidWhoAmI, nil)); len(rep.value) != 0 {
		t.Errorf("got identity %q, want none: fast binds check only", rep.value)
	}
	if rep := p.ask(saslOp(mechanismGSSAPI, []byte{1})); rep.code != resultUnwillingToPerform {
		t.Errorf("SASL: got %d, want 53", rep.code)
	}
	q := w.pipe()
	q.ask(bindOp(administrator, adminPassword))
	if rep := q.ask(extendedOp(oidFastBind, nil)); rep.code != resultUnwillingToPerform {
		t.Errorf("after a bind: got %d, want 53", rep.code)
	}
}

// gssapiClient is go-ldap's view of our initiator.
type gssapiClient struct{ *gss.Initiator }

func (c gssapiClient) InitSecContext(_ string, token []byte) ([]byte, bool, error) {
	out, done, err := c.Step(token)
	return out, !done, err
}

func (c gssapiClient) InitSecContextWithOptions(target string, token []byte, _ []int) ([]byte, bool, error) {
	return c.InitSecContext(target, token)
}

func (c gssapiClient) NegotiateSaslAuth(token []byte, authzid string) ([]byte, error) {
	out, _, err := gss.ChooseLayer(c.Context(), token, gss.LayerNone, 0, authzid)
	return out, err
}

func (c gssapiClient) DeleteSecContext() error { return nil }

// TestGoLDAPGSSAPI lets go-ldap drive the messages of RFC 4752.
func TestGoLDAPGSSAPI(t *testing.T) {
	w := newWorld(t, nil)
	cfg := w.ticket(ticketOptions{})
	cfg.Flags = gss.FlagMutual | gss.FlagInteg | gss.FlagConf
	c, err := ldap.DialURL("ldap://" + w.listen((*Server).Serve))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.GSSAPIBind(gssapiClient{gss.NewInitiator(cfg)}, "ldap/dc01.contoso.com", ""); err != nil {
		t.Fatal(err)
	}
	if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != `u:CONTOSO\alice` {
		t.Errorf("got %v, %v", who, err)
	}
}

func BenchmarkBind(b *testing.B) {
	w := newWorld(b, func(cfg *Config) { cfg.Trace = nil })
	addr := w.listen((*Server).Serve)
	b.RunParallel(func(pb *testing.PB) {
		p := w.dial(addr)
		op := bindOp("CN=alice,CN=Users,"+contoso, alicePassword)
		for pb.Next() {
			if rep := p.ask(op); rep.code != 0 {
				b.Errorf("got %d %q", rep.code, rep.text)
				return
			}
		}
	})
}

// BenchmarkBindSealed is a GSS-SPNEGO bind with a new ticket's context each time.
func BenchmarkBindSealed(b *testing.B) {
	w := newWorld(b, func(cfg *Config) { cfg.Trace = nil })
	cfg := w.ticket(ticketOptions{})
	cfg.Flags, cfg.SPNEGO = secure, true
	for b.Loop() {
		p := w.pipe()
		if rep := p.establish(mechanismSPNEGO, gss.NewInitiator(cfg)); rep.code != 0 {
			b.Fatalf("got %d %q", rep.code, rep.text)
		}
		p.conn.Close()
		<-p.done
	}
}
