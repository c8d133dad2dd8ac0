package simulator

import (
	"context"
	"crypto/aes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Status is a Windows error code as nltest prints it; 0 is success.
type Status uint32

// The codes of secure channels (Windows error codes, winerror.h).
const (
	StatusSuccess           Status = 0
	StatusAccessDenied      Status = 5
	StatusNoLogonServers    Status = 1311
	StatusLogonFailure      Status = 1326
	StatusPasswordExpired   Status = 1330
	StatusAccountDisabled   Status = 1331
	StatusNoneMapped        Status = 1332
	StatusNoSuchDomain      Status = 1355
	StatusServerUnavailable Status = 1722
	StatusNoTrustLSASecret  Status = 1786
	StatusNoTrustSAMAccount Status = 1787
	StatusTrustFailure      Status = 1789
)

var statusNames = map[Status]string{
	StatusSuccess:           "NERR_Success",
	StatusAccessDenied:      "ERROR_ACCESS_DENIED",
	StatusNoLogonServers:    "ERROR_NO_LOGON_SERVERS",
	StatusLogonFailure:      "ERROR_LOGON_FAILURE",
	StatusPasswordExpired:   "ERROR_PASSWORD_EXPIRED",
	StatusAccountDisabled:   "ERROR_ACCOUNT_DISABLED",
	StatusNoneMapped:        "ERROR_NONE_MAPPED",
	StatusNoSuchDomain:      "ERROR_NO_SUCH_DOMAIN",
	StatusServerUnavailable: "RPC_S_SERVER_UNAVAILABLE",
	StatusNoTrustLSASecret:  "ERROR_NO_TRUST_LSA_SECRET",
	StatusNoTrustSAMAccount: "ERROR_NO_TRUST_SAM_ACCOUNT",
	StatusTrustFailure:      "ERROR_TRUSTED_RELATIONSHIP_FAILURE",
}

// String is the code as nltest prints it: "1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT".
func (s Status) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %#x %s", uint32(s), uint32(s), statusNames[s]))
}

// portRPC is the endpoint mapper, without which no client finds Netlogon and LSA on a DC ([MS-RPCE] 2.1.1.1).
const portRPC = 135

// credential8 is a Netlogon credential or challenge ([MS-NRPC] 2.2.1.3.2, 2.2.1.3.4).
type credential8 [8]byte

// channelKey is a session key ([MS-NRPC] 3.1.4.3.1, AES): HMAC-SHA256 of both challenges under the NT hash of the account's password.
func channelKey(ntHash []byte, client, server credential8) [16]byte {
	mac := hmac.New(sha256.New, ntHash)
	mac.Write(client[:])
	mac.Write(server[:])
	return [16]byte(mac.Sum(nil)[:16])
}

// seal is a Netlogon credential ([MS-NRPC] 3.1.4.4.1): AES-128 in CFB mode of 8 bits with an initialisation vector of zero.
func seal(key [16]byte, in credential8) credential8 {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the length of the key is fixed
	}
	var register, out [aes.BlockSize]byte
	var sealed credential8
	for i, b := range in {
		block.Encrypt(out[:], register[:])
		sealed[i] = b ^ out[0]
		copy(register[:], register[1:])
		register[aes.BlockSize-1] = sealed[i]
	}
	return sealed
}

// channelSession is one side of a secure channel: the session key and the credential that each call moves on.
type channelSession struct {
	account string // sAMAccountName
	key     [16]byte
	seed    credential8
}

// step moves the credential on by a call at a time and gives its authenticator ([MS-NRPC] 3.1.4.5).
func (s *channelSession) step(timestamp uint32) credential8 {
	binary.LittleEndian.PutUint32(s.seed[:], binary.LittleEndian.Uint32(s.seed[:])+timestamp)
	return seal(s.key, s.seed)
}

// channelTable is what a DC remembers of secure channels: one session for each computer name, so that a later one under the same name
// takes the place of an earlier one ([MS-NRPC] 3.5.1, ServerSessionInfo).
type channelTable struct {
	mu       sync.Mutex
	sessions map[string]*channelSession // by computer name in upper case
}

func (t *channelTable) snapshot() map[string]*channelSession {
	t.mu.Lock()
	defer t.mu.Unlock()
	return cloneSessions(t.sessions)
}

func (t *channelTable) restore(sessions map[string]*channelSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sessions = cloneSessions(sessions)
}

func cloneSessions(sessions map[string]*channelSession) map[string]*channelSession {
	clone := maps.Clone(sessions)
	for name, s := range clone {
		c := *s
		clone[name] = &c
	}
	return clone
}

// authenticate is NetrServerReqChallenge and NetrServerAuthenticate3 for a channel of a workstation ([MS-NRPC] 3.5.4.4.1, 3.5.4.4.2): the
// account has to be a machine account that is enabled, and the client's credential has to be made with its password.
func (dc *DC) authenticate(ctx context.Context, account, computer string, client, server, credential credential8) (credential8, Status) {
	a, err := dc.replica.AccountByName(directory.Principal, account)
	if err != nil || a.UserAccountControl&uacWorkstationTrust == 0 || a.Disabled {
		dc.logSession(5723, fmt.Sprintf("The session setup from computer '%s' failed because the security database does not contain a trust account '%s' referenced by the specified computer.", computer, account))
		return credential8{}, StatusNoTrustSAMAccount
	}
	for _, hash := range ntHashes(ctx, a) {
		key := channelKey(hash, client, server)
		want := seal(key, client)
		if subtle.ConstantTimeCompare(want[:], credential[:]) != 1 {
			continue
		}
		dc.channels.mu.Lock()
		defer dc.channels.mu.Unlock()
		if dc.channels.sessions == nil {
			dc.channels.sessions = map[string]*channelSession{}
		}
		dc.channels.sessions[strings.ToUpper(computer)] = &channelSession{account: a.SAMAccountName, key: key, seed: client}
		return seal(key, server), StatusSuccess
	}
	dc.logSession(5722, fmt.Sprintf("The session setup from the computer %s failed to authenticate. The name(s) of the account(s) referenced in the security database is %s.", computer, account))
	return credential8{}, StatusAccessDenied
}

// logSession is what Netlogon writes to the System log of a DC.
//
// guess: a controller logs 5723 when it refuses an account as no trust account, and 5722 when the proof of the password is wrong
func (dc *DC) logSession(id int, text string) {
	dc.d.event(Event{Op: opEventLog, To: dc.name, Text: fmt.Sprintf("System, NETLOGON %d", id), Result: "Error", Detail: text})
}

// ntHashes are the NT hashes of an account's present password and of the previous one while it is still taken.
func ntHashes(ctx context.Context, a *directory.Account) [][]byte {
	var list [][]byte
	add := func(set *directory.KeySet) {
		for _, k := range set.Keys {
			if k.EType == krbcrypt.RC4HMAC {
				list = append(list, k.Value)
			}
		}
	}
	if set, err := a.Keys(ctx); err == nil {
		add(set)
	}
	if set := a.PreviousKeys(ctx); set != nil {
		add(set)
	}
	return list
}

// admits checks the authenticator of a call over the channel of a computer name. A call under another session's key is denied.
func (dc *DC) admits(computer string, timestamp uint32, authenticator credential8) bool {
	dc.channels.mu.Lock()
	defer dc.channels.mu.Unlock()
	s := dc.channels.sessions[strings.ToUpper(computer)]
	if s == nil {
		return false
	}
	moved := *s
	want := moved.step(timestamp)
	if subtle.ConstantTimeCompare(want[:], authenticator[:]) != 1 {
		return false
	}
	*s = moved
	return true
}

// ntlmv2Key is NTOWFv2 ([MS-NLMP] 3.3.2).
func ntlmv2Key(ntHash []byte, user, domain string) []byte {
	mac := hmac.New(md5.New, ntHash)
	mac.Write(utf16LE(strings.ToUpper(user) + domain))
	return mac.Sum(nil)
}

// ntlmv2Proof is NTProofStr ([MS-NLMP] 3.3.2) for a server's challenge and a client's blob.
func ntlmv2Proof(key []byte, challenge credential8, blob []byte) []byte {
	mac := hmac.New(md5.New, key)
	mac.Write(challenge[:])
	mac.Write(blob)
	return mac.Sum(nil)
}

func utf16LE(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// logonNetwork is NetrLogonSamLogonWithFlags with a network logon ([MS-NRPC] 3.5.4.5.2): the DC judges the client's response to the
// challenge that the member gave.
func (dc *DC) logonNetwork(ctx context.Context, user, domain string, challenge credential8, proof, blob []byte) Status {
	a, err := dc.replica.AccountByName(directory.Principal, user)
	if err != nil || a.Locked || a.Expired {
		return StatusLogonFailure
	}
	for _, hash := range ntHashes(ctx, a) {
		if !hmac.Equal(ntlmv2Proof(ntlmv2Key(hash, user, domain), challenge, blob), proof) {
			continue
		}
		switch { // what is wrong with an account is only told to those who know its password
		case a.Disabled:
			return StatusAccountDisabled
		case a.PasswordExpired || a.MustChangePassword:
			return StatusPasswordExpired
		}
		return StatusSuccess
	}
	return StatusLogonFailure
}

// lookupSID is LsarLookupSids3 ([MS-LSAT] 3.1.4.9), with which a member asks its DC for the name of a SID.
func (dc *DC) lookupSID(sid security.SID) (string, Status) {
	return dc.lookup(&filter.Filter{Op: filter.Equal, Attr: "objectSid", Value: sid.Bytes()}, func(e *directory.Entry) string {
		return dc.dom.NetBIOSName + `\` + e.Value("sAMAccountName")
	})
}

// lookupName is LsarLookupNames4 ([MS-LSAT] 3.1.4.5) for a name with or without the domain.
func (dc *DC) lookupName(name string) (string, Status) {
	if domain, short, qualified := strings.Cut(name, `\`); qualified {
		if !strings.EqualFold(domain, dc.dom.NetBIOSName) && !strings.EqualFold(domain, dc.dom.DNSName) {
			return "", StatusNoneMapped
		}
		name = short
	}
	return dc.lookup(&filter.Filter{Op: filter.Equal, Attr: "sAMAccountName", Value: []byte(name)}, func(e *directory.Entry) string {
		sid, err := security.SIDFromBytes([]byte(e.Value("objectSid")))
		if err != nil {
			return ""
		}
		return sid.String()
	})
}

func (dc *DC) lookup(f *filter.Filter, answer func(*directory.Entry) string) (string, Status) {
	found := ""
	err := dc.search(dc.dom.DN, f, []string{"sAMAccountName", "objectSid"}, func(e *directory.Entry) { found = answer(e) })
	if err != nil || found == "" {
		return "", StatusNoneMapped
	}
	return found, StatusSuccess
}
