package source

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// Decode turns bytes as they are stored into UTF-8 without a byte order mark and tells the encoding when it was another one. UTF-16 without a
// mark is recognised by its zeros: every second byte of the beginning is 0, as of Latin text.
func Decode(stored []byte) (text []byte, encoding string) {
	switch {
	case bytes.HasPrefix(stored, []byte("\xef\xbb\xbf")):
		return stored[3:], UTF8BOM
	case bytes.HasPrefix(stored, []byte("\xff\xfe")):
		return fromUTF16(stored[2:], binary.LittleEndian), UTF16LE
	case bytes.HasPrefix(stored, []byte("\xfe\xff")):
		return fromUTF16(stored[2:], binary.BigEndian), UTF16BE
	case zeros(stored, 1):
		return fromUTF16(stored, binary.LittleEndian), UTF16LE
	case zeros(stored, 0):
		return fromUTF16(stored, binary.BigEndian), UTF16BE
	}
	return stored, ""
}

// zeros tells whether every second byte of the first 64 is 0, beginning at first, and no other one is.
func zeros(b []byte, first int) bool {
	b = b[:min(len(b), 64)]
	if len(b) < 4 {
		return false
	}
	for i, c := range b {
		if (c == 0) != (i%2 == first) {
			return false
		}
	}
	return true
}

// encode turns text into bytes as they are stored.
func encode(text []byte, encoding string, mark bool) []byte {
	var order binary.AppendByteOrder
	switch encoding {
	case UTF8BOM:
		return append([]byte("\xef\xbb\xbf"), text...)
	case UTF16LE:
		order = binary.LittleEndian
	case UTF16BE:
		order = binary.BigEndian
	default:
		return text
	}
	units := utf16.Encode([]rune(string(text)))
	b := make([]byte, 0, 2*len(units)+2)
	if mark {
		b = order.AppendUint16(b, 0xfeff)
	}
	for _, u := range units {
		b = order.AppendUint16(b, u)
	}
	return b
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// Encode is the reverse of [Decode].
func Encode(text []byte, encoding string) []byte {
	switch encoding {
	case UTF8BOM:
		return append([]byte("\xef\xbb\xbf"), text...)
	case UTF16LE:
		return toUTF16(text, binary.LittleEndian)
	case UTF16BE:
		return toUTF16(text, binary.BigEndian)
	}
	return text
}

func toUTF16(text []byte, order binary.AppendByteOrder) []byte {
	b := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(string(text))) {
		b = order.AppendUint16(b, unit)
	}
	return b
}
