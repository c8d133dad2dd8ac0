package directory

import (
	"crypto/sha512"
	"encoding/binary"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// trusted is the domain that d trusts above it: its parent, or the forest root for the root of another tree ([MS-ADTS] 6.1.6). It is
// nil for the forest root.
func (d *Domain) trusted() *Domain {
	if p := d.parent(); p != nil || d.index == 0 {
		return p
	}
	return d.forest.domains[0]
}

// TrustKeys returns the inter-realm keys shared with another domain of the forest, strongest first, and their version; nil when
// there is no trust. Domains trust their parents and children directly, and every other one over the path that makes.
//
// The keys come from the seed instead of a password that the domains change every thirty days: nobody can tell the difference.
func (r *Replica) TrustKeys(other *Domain) (keys []*krbcrypt.Key, kvno int) {
	d := r.domain
	if other == nil || other.trusted() != d && d.trusted() != other {
		return nil, 0
	}
	low, high := min(d.index, other.index), max(d.index, other.index)
	for _, etype := range [...]int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC} {
		b := binary.LittleEndian.AppendUint64([]byte("gmsasim trust "), r.forest.cfg.Seed)
		b = binary.LittleEndian.AppendUint32(b, uint32(etype))
		b = append(b, d.forest.domains[low].DNSName+" "+d.forest.domains[high].DNSName...)
		sum := sha512.Sum512(b)
		k, err := krbcrypt.NewKey(etype, append([]byte(nil), sum[:krbcrypt.KeySize(etype)]...))
		if err != nil {
			return nil, 0 // the types are constants that krbcrypt knows
		}
		keys = append(keys, k)
	}
	return keys, 1
}
