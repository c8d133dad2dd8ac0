package gss

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
)

// checksumGSS is the type of the authenticator's checksum that carries flags
// and channel bindings, RFC 4121 4.1.1.
const (
	checksumGSS     int32 = 0x8003
	checksumGSSSize       = 24 // without delegated credentials
	bindingsSize          = md5.Size
)

// HashBindings is the MD5 of channel bindings without addresses, RFC 4121
// 4.1.1.2. applicationData is "tls-server-end-point:" and the certificate's
// hash (RFC 5929 4).
func HashBindings(applicationData []byte) [16]byte {
	b := make([]byte, 16, 20+len(applicationData)) // two null addresses: type 0, length 0
	b = binary.LittleEndian.AppendUint32(b, uint32(len(applicationData)))
	return md5.Sum(append(b, applicationData...))
}

// encodeGSSChecksum is the contents of a checksum of type 0x8003.
func encodeGSSChecksum(bindings [bindingsSize]byte, flags Flags) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, checksumGSSSize), bindingsSize)
	b = append(b, bindings[:]...)
	return binary.LittleEndian.AppendUint32(b, uint32(flags))
}

// decodeGSSChecksum reads it. Delegated credentials may follow; they are not used.
func decodeGSSChecksum(b []byte) (bindings [bindingsSize]byte, flags Flags, err error) {
	if len(b) < checksumGSSSize || binary.LittleEndian.Uint32(b) != bindingsSize {
		return bindings, 0, fmt.Errorf("%w: checksum 0x8003 of %d octets", ErrToken, len(b))
	}
	copy(bindings[:], b[4:])
	return bindings, Flags(binary.LittleEndian.Uint32(b[20:])), nil
}
