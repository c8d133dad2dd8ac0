package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

var errNonce = errors.New("reply to another request: the nonce differs")

// readReply opens an AS-REP or TGS-REP (RFC 4120 5.4.2).
func (c *krbClient) readReply(b []byte, msg int, nonce uint32, usage uint32, dc string, key secret) (*credential, error) {
	wrap := func(err error) error { return fmt.Errorf("reply of %s: %w", dc, err) }
	rep, err := derSequence(b, msg)
	if err != nil {
		return nil, wrap(err)
	}
	cred := &credential{dc: dc}
	if cred.crealm, err = readString(rep[3]); err != nil {
		return nil, wrap(err)
	}
	if cred.client, err = readName(rep[4]); err != nil {
		return nil, wrap(err)
	}
	if err := cred.readTicket(rep[5]); err != nil {
		return nil, wrap(err)
	}
	etype, _, cipher, err := readEncrypted(rep[6])
	if err != nil {
		return nil, wrap(err)
	}
	salt := ""
	if _, s, ok := readETypeInfo2(rep[2], []int32{etype}); ok {
		salt = s
	}
	k, err := key(etype, salt)
	if err != nil {
		return nil, wrap(err)
	}
	plain, err := k.Decrypt(nil, cipher, usage)
	if err != nil {
		return nil, wrap(err)
	}
	part, err := derSequence(plain, tagEncTGSRepPart)
	if err != nil && msg == msgASRep { // an AS-REP may carry either application tag (RFC 4120 5.4.2)
		part, err = derSequence(plain, tagEncASRepPart)
	}
	if err != nil {
		return nil, wrap(err)
	}
	n, err := readInt(part[2])
	if err != nil {
		return nil, wrap(err)
	}
	if uint32(n) != nonce {
		return nil, wrap(errNonce)
	}
	return cred, wrapNil(cred.readTimes(part), wrap)
}

func wrapNil(err error, wrap func(error) error) error {
	if err == nil {
		return nil
	}
	return wrap(err)
}

// readTicket keeps the ticket as it is and notes what is legible in it.
func (cred *credential) readTicket(b []byte) error {
	cred.raw = slices.Clone(b)
	t, err := derSequence(b, 1)
	if err != nil {
		return err
	}
	if cred.srealm, err = readString(t[1]); err != nil {
		return err
	}
	if cred.server, err = readName(t[2]); err != nil {
		return err
	}
	cred.etype, cred.kvno, _, err = readEncrypted(t[3])
	return err
}

// readTimes takes session key, flags and times from an EncKDCRepPart.
func (cred *credential) readTimes(part fields) error {
	k, err := derSequence(part[0], -1)
	if err != nil {
		return err
	}
	etype, err := readInt(k[0])
	if err != nil {
		return err
	}
	value, err := inner(k[1], tagOctetString)
	if err != nil {
		return err
	}
	if cred.key, err = krbcrypt.NewKey(int32(etype), slices.Clone(value)); err != nil {
		return err
	}
	if cred.flags, err = readFlags(part[4]); err != nil {
		return err
	}
	if cred.auth, err = readTime(part[5]); err != nil {
		return err
	}
	if cred.end, err = readTime(part[7]); err != nil {
		return err
	}
	cred.start = cred.auth
	if part[6] != nil {
		if cred.start, err = readTime(part[6]); err != nil {
			return err
		}
	}
	if part[8] != nil {
		if cred.renewTill, err = readTime(part[8]); err != nil {
			return err
		}
	}
	return nil
}

// readKRBError reads b as a KRB-ERROR; nil means that it is something else.
func readKRBError(b []byte) *krbError {
	f, err := derSequence(b, msgKRBError)
	if err != nil {
		return nil
	}
	code, err := readInt(f[6])
	if err != nil {
		return &krbError{code: krbErrGeneric}
	}
	e := &krbError{code: int(code)}
	e.stime, _ = readTime(f[4])              // absent in a damaged error only; the code is what counts
	e.crealm, _ = readString(f[7])           // optional
	e.data, _ = inner(f[12], tagOctetString) // optional
	return e
}

// readETypeInfo2 finds, in a METHOD-DATA, the first ETYPE-INFO2 entry of a wanted type (RFC 4120 5.2.7.5).
func readETypeInfo2(methodData []byte, want []int32) (etype int32, salt string, ok bool) {
	list, err := inner(methodData, tagSequence)
	if err != nil {
		return 0, "", false
	}
	for r, i := (derReader{list}), 0; len(r.rest) > 0 && i < padataETypeInfoLimit; i++ {
		_, _, whole, err := r.next()
		if err != nil {
			return 0, "", false
		}
		pa, err := derSequence(whole, -1)
		if err != nil {
			return 0, "", false
		}
		if kind, err := readInt(pa[1]); err != nil || kind != padataETypeInfo2 {
			continue
		}
		value, err := inner(pa[2], tagOctetString)
		if err != nil {
			return 0, "", false
		}
		entries, err := inner(value, tagSequence)
		if err != nil {
			return 0, "", false
		}
		for r, i := (derReader{entries}), 0; len(r.rest) > 0 && i < padataETypeInfoLimit; i++ {
			_, _, whole, err := r.next()
			if err != nil {
				return 0, "", false
			}
			entry, err := derSequence(whole, -1)
			if err != nil {
				return 0, "", false
			}
			e, err := readInt(entry[0])
			if err != nil || !slices.Contains(want, int32(e)) {
				continue
			}
			salt, _ := readString(entry[1]) // absent: RC4, which has none
			return int32(e), salt, true
		}
	}
	return 0, "", false
}

func readName(b []byte) (string, error) {
	f, err := derSequence(b, -1)
	if err != nil {
		return "", err
	}
	list, err := inner(f[1], tagSequence)
	if err != nil {
		return "", err
	}
	var parts []string
	for r := (derReader{list}); len(r.rest) > 0; {
		tag, content, _, err := r.next()
		if err != nil {
			return "", err
		}
		if tag != tagGeneral {
			return "", fmt.Errorf("%w: tag %#x in a principal name", errDER, tag)
		}
		parts = append(parts, string(content))
	}
	return strings.Join(parts, "/"), nil
}

func readEncrypted(b []byte) (etype int32, kvno int, cipher []byte, err error) {
	f, err := derSequence(b, -1)
	if err != nil {
		return 0, 0, nil, err
	}
	e, err := readInt(f[0])
	if err != nil {
		return 0, 0, nil, err
	}
	if f[1] != nil {
		v, err := readInt(f[1])
		if err != nil {
			return 0, 0, nil, err
		}
		kvno = int(uint32(v)) // RFC 4120 has UInt32; old encoders write it negative
	}
	cipher, err = inner(f[2], tagOctetString)
	return int32(e), kvno, cipher, err
}
