package fakekdc

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// methodData is the e-data of a pre-authentication error, METHOD-DATA of RFC 4120 5.9.1.
func methodData(list []paData) []byte {
	w := newWriter(160)
	w.paList(list)
	w.wrap(tagSequence, 0)
	return w.bytes()
}

// etypeInfo2 is ETYPE-INFO2, RFC 4120 5.2.7.5: AES with the salt, RC4 without; parameters are never sent.
func etypeInfo2(salt string, etypes ...int32) []byte {
	w := newWriter(96)
	for i := len(etypes) - 1; i >= 0; i-- {
		m := w.mark()
		if etypes[i] != krbcrypt.RC4HMAC {
			w.text(1, salt)
		}
		w.integer(0, int64(etypes[i]))
		w.wrap(tagSequence, m)
	}
	w.wrap(tagSequence, 0)
	return w.bytes()
}

// hints is what ETYPE-INFO2 offers: the strongest AES type and RC4, as far as client and account have them.
func hints(keys []*krbcrypt.Key) []int32 {
	var list []int32
	for _, k := range keys { // the strongest first
		if k.EType == krbcrypt.RC4HMAC || len(list) == 0 {
			list = append(list, k.EType)
		}
	}
	return list
}

// preauthRequired is error 25 with the methods in Active Directory's order ([MS-KILE] 3.1.5.1).
func preauthRequired(salt string, keys []*krbcrypt.Key) error {
	list := make([]paData, 0, 5)
	etypes := hints(keys)
	if etypes[0] == krbcrypt.RC4HMAC {
		list = append(list, paData{paETypeInfo, etypeInfo2("", krbcrypt.RC4HMAC)})
	}
	list = append(list,
		paData{paETypeInfo2, etypeInfo2(salt, etypes...)},
		paData{paEncTimestamp, nil}, paData{paPKASReq, nil}, paData{paPKASRepOld, nil})
	e := refuse(ErrCodePreauthRequired, "no encrypted timestamp")
	e.data = methodData(list)
	return e
}

// proof is a successful pre-authentication: the key that the client has, and its version.
type proof struct {
	key     *krbcrypt.Key
	version int
}

// timestamp checks PA-ENC-TIMESTAMP, RFC 4120 5.2.7.2. The same timestamp may come again: clients repeat requests over TCP, and
// Active Directory does not mind.
func (x *exchange) timestamp(ctx context.Context, client *Principal, ks KeySet, offered []*krbcrypt.Key, value []byte) (proof, error) {
	r := sequence(value)
	enc := r.encryptedFields()
	if r.err != nil {
		return proof{}, fmt.Errorf("encrypted timestamp: %w", r.err)
	}
	x.record.Preauth = enc.etype
	if x.kdc.clientETypes(client)&etypeBit(enc.etype) == 0 || keyOf(ks.Keys, enc.etype) == nil {
		return proof{}, refuse(ErrCodeETypeNoSupport, "timestamp of encryption type %d", enc.etype)
	}
	p := proof{keyOf(ks.Keys, enc.etype), ks.Version}
	plain, err := p.key.Decrypt(nil, enc.cipher, usageTimestamp)
	if err != nil {
		if old := keyOf(ks.Previous, enc.etype); old != nil {
			p = proof{old, ks.Version - 1}
			plain, err = old.Decrypt(nil, enc.cipher, usageTimestamp)
		}
	}
	if err != nil {
		if l, ok := x.kdc.Principals.(LogonRecorder); ok {
			l.LogonFailed(ctx, client)
		}
		e := refuse(ErrCodePreauthFailed, "timestamp: %w", err)
		if len(offered) > 0 {
			e.data = methodData([]paData{{paETypeInfo2, etypeInfo2(ks.Salt, hints(offered)...)}})
		}
		return proof{}, e
	}
	r = sequence(plain)
	at := r.time(0)
	if r.next(tagContext + 1) {
		at = at.Add(microseconds(r.integer(1)))
	}
	if r.err != nil {
		return proof{}, refuse(ErrCodePreauthFailed, "timestamp: %w", r.err)
	}
	if d := x.now.Sub(at); x.kdc.Policy.isSkewed(d) {
		return proof{}, refuse(ErrCodeSkew, "the client's clock is %v behind", d)
	}
	return p, nil
}

// microseconds makes a duration of a Microseconds field; values out of its range count as 0.
func microseconds(v int64) time.Duration {
	if v < 0 || v > 999999 {
		return 0
	}
	return time.Duration(v) * time.Microsecond
}

// pacRequest reads KERB-PA-PAC-REQUEST, [MS-KILE] 2.2.3.
func (q *request) pacRequest() (include, asked bool, err error) {
	value, ok := q.pa(paPACRequest)
	if !ok {
		return true, false, nil
	}
	r := sequence(value)
	b := r.primitive(0, tagBoolean)
	if r.err == nil && len(b) != 1 {
		r.fail("boolean")
	}
	if r.err != nil {
		return false, true, fmt.Errorf("PAC request: %w", r.err)
	}
	return b[0] != 0, true, nil
}

// Bits of PA-PAC-OPTIONS, [MS-KILE] 2.2.10 and [MS-SFU] 2.2.5.
const pacOptionRBCD uint32 = 1 << 28

// pacOptions reads PA-PAC-OPTIONS.
func (q *request) pacOptions() (flags uint32, sent bool, err error) {
	value, ok := q.pa(paPACOptions)
	if !ok {
		return 0, false, nil
	}
	r := sequence(value)
	flags = r.flags(0)
	if r.err != nil {
		return 0, true, fmt.Errorf("PAC options: %w", r.err)
	}
	return flags, true, nil
}

// Encrypted pre-authentication data of replies.

func supportedETypesData(mask uint32) paData {
	return paData{paSupportedETypes, binary.LittleEndian.AppendUint32(nil, mask)}
}

func pacOptionsData(flags uint32) paData {
	w := newWriter(16)
	w.flags(0, flags)
	w.wrap(tagSequence, 0)
	return paData{paPACOptions, w.bytes()}
}

// checksumData is a Checksum, RFC 4120 5.2.9.
func checksumData(ctype int32, sum []byte) []byte {
	w := newWriter(len(sum) + 16)
	w.octets(1, sum)
	w.integer(0, int64(ctype))
	w.wrap(tagSequence, 0)
	return w.bytes()
}

// paASFreshness asks for a freshness token, RFC 8070 3. It is not modelled; MIT's client sends it in each AS-REQ.
const paASFreshness = 150

// encPARep answers PA-REQ-ENC-PA-REP, RFC 6806 11: a checksum of the request as it came. gokrb5 does not accept that without a
// PA-FX-FAST beside it. MIT would take the same for an offer to do FAST, remember it, and have kpasswd insist on it.
func (q *request) encPARep(key *krbcrypt.Key) []paData {
	list := []paData{{paReqEncPARep, checksumData(key.ChecksumType(), key.Checksum(nil, q.whole, usageReqEncPARep))}}
	if _, mit := q.pa(paASFreshness); !mit {
		list = append(list, paData{paFXFast, nil})
	}
	return list
}
