package directory

import (
	"strconv"
	"strings"
)

// oidPrefixes are those of the default prefix table, [MS-DRSR] 5.12.2 and 5.16.4, that attributes here use.
var oidPrefixes = []struct {
	oid   string
	index uint32
}{
	{"2.5.4.", 0}, {"2.5.6.", 1}, {"1.2.840.113556.1.2.", 2}, {"1.2.840.113556.1.3.", 3}, {"2.5.5.", 8}, {"1.2.840.113556.1.4.", 9}, {"1.2.840.113556.1.5.", 10},
	{"2.16.840.1.113730.3.", 0x13}, {"0.9.2342.19200300.100.1.", 0x14}, {"2.16.840.1.113730.3.1.", 0x15}, {"2.5.21.", 0x18}, {"2.5.18.", 0x19}, {"2.5.20.", 0x1a},
	{"1.3.6.1.4.1.1466.101.119.", 0x17},
}

// attrType is the ATTRTYP of an OID; 0xffffffff for one with a prefix that is not in the default table.
func attrType(oid string) uint32 {
	best, bestLen := uint32(0xffffffff), 0
	for _, p := range oidPrefixes {
		rest, ok := strings.CutPrefix(oid, p.oid)
		if !ok || len(p.oid) <= bestLen {
			continue
		}
		n, err := strconv.ParseUint(rest, 10, 32)
		if err != nil || n > 0xffff {
			continue
		}
		best, bestLen = p.index<<16|uint32(n), len(p.oid)
	}
	return best
}
