package fakekdc

import (
	"cmp"
	"slices"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// byStrength are the encryption types, the strongest first.
var byStrength = [...]int32{krbcrypt.AES256SHA384, krbcrypt.AES256SHA1, krbcrypt.AES128SHA256, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC}

func etypeBit(etype int32) uint32 {
	switch etype {
	case krbcrypt.RC4HMAC:
		return ETypeBitRC4
	case krbcrypt.AES128SHA1:
		return ETypeBitAES128
	case krbcrypt.AES256SHA1:
		return ETypeBitAES256
	case krbcrypt.AES128SHA256:
		return ETypeBitAES128SHA2
	case krbcrypt.AES256SHA384:
		return ETypeBitAES256SHA2
	}
	return 0
}

// etypesOf is the mask of the encryption types that there are keys of.
func etypesOf(keys []*krbcrypt.Key) uint32 {
	var m uint32
	for _, k := range keys {
		m |= etypeBit(k.EType)
	}
	return m
}

// supportedETypes is what an account supports as a service. Domain controllers and krbtgt support all that they have keys of;
// whoever says nothing gets the domain's default ([MS-KILE] 3.3.5.7).
func (k *KDC) supportedETypes(p *Principal, keys []*krbcrypt.Key) uint32 {
	switch {
	case p.DomainController:
		return k.allowed(etypesOf(keys))
	case p.SupportedETypes == 0:
		return k.allowed(cmp.Or(k.Policy.DefaultETypes, k.level().DefaultETypes, DefaultETypes2022))
	}
	return k.allowed(p.SupportedETypes)
}

// strongest is the key of the strongest encryption type among those of the mask, nil when there is none.
func strongest(keys []*krbcrypt.Key, mask uint32) *krbcrypt.Key {
	for _, etype := range byStrength {
		if mask&etypeBit(etype) != 0 {
			if k := keyOf(keys, etype); k != nil {
				return k
			}
		}
	}
	return nil
}

// sessionEType is the first encryption type of the client's list that the service supports, 0 when there is none ([MS-KILE]
// 3.3.5.7).
func sessionEType(offered []int32, supported uint32) int32 {
	if supported&ETypeBitAESSessions != 0 {
		supported |= ETypeBitAES128 | ETypeBitAES256
	}
	for _, etype := range offered {
		if supported&etypeBit(etype) != 0 {
			return etype
		}
	}
	return 0
}

// allowed leaves of a mask what the domain controller uses at all. Bits that name no encryption type stay.
func (k *KDC) allowed(mask uint32) uint32 {
	use := k.Policy.allowedETypes() & cmp.Or(k.level().AllowedETypes, ^uint32(0))
	return mask & (use | ^etypeBits | ETypeBitAESSessions)
}

// clientETypes is the mask of what a client may sign in with. An account that is restricted to some types is so as a client too;
// members of Protected Users have no RC4 ([MS-KILE] 3.3.5.6).
func (k *KDC) clientETypes(p *Principal) uint32 {
	m := etypeBits
	if own := p.SupportedETypes & etypeBits; own != 0 && !p.DomainController {
		m = own
		if own&ETypeBitRC4 == 0 && k.level().RefusesWithoutRC4 {
			m = 0
		}
	}
	if p.ProtectedUser {
		m &^= ETypeBitRC4
	}
	return k.allowed(m)
}

// offeredKeys are the keys of an account that a client may use and that it offers to use, the strongest first.
func (k *KDC) offeredKeys(p *Principal, keys []*krbcrypt.Key, offered []int32) []*krbcrypt.Key {
	mask := k.clientETypes(p)
	list := make([]*krbcrypt.Key, 0, len(byStrength))
	for _, etype := range byStrength {
		if mask&etypeBit(etype) == 0 || !slices.Contains(offered, etype) {
			continue
		}
		if key := keyOf(keys, etype); key != nil {
			list = append(list, key)
		}
	}
	return list
}
