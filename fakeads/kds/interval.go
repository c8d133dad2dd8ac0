package kds

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"time"
)

const (
	// KeyCycle is the length of an interval (KEY_CYCLE_DURATION, [MS-GKDI]).
	// Intervals begin at the same moments for every account in the world: every
	// ten hours counted from 1601-01-01T00:00:00Z.
	KeyCycle = 10 * time.Hour
	// MaxClockSkew is how far clocks may be apart (MAX_CLOCK_SKEW). So long
	// before its end a password is handed out with its successor, and so long
	// after it the predecessor is accepted.
	MaxClockSkew = 5 * time.Minute

	// levels is how many keys of a level one key of the level above gives
	// (L1_KEY_ITERATION, L2_KEY_ITERATION).
	levels = 32

	tick          = 100 * time.Nanosecond
	ticksPerCycle = uint64(KeyCycle / tick)
	ticksPerSec   = uint64(time.Second / tick)
	unixEpoch     = 11644473600 // seconds from 1601 to 1970
)

// FILETIME counts 100 ns from 1601-01-01T00:00:00Z ([MS-DTYP] 2.3.3).
type FILETIME uint64

// FromTime is t as a FILETIME, rounded down. Times before 1601 are 0.
func FromTime(t time.Time) FILETIME {
	sec := t.Unix() + unixEpoch
	if sec < 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(sec), ticksPerSec)
	sum, carry := bits.Add64(lo, uint64(t.Nanosecond())/uint64(tick), 0)
	if hi+carry != 0 {
		return math.MaxUint64
	}
	return FILETIME(sum)
}

// Time is f in UTC.
func (f FILETIME) Time() time.Time {
	return time.Unix(int64(uint64(f)/ticksPerSec)-unixEpoch, int64(uint64(f)%ticksPerSec*uint64(tick))).UTC()
}

// Interval is a group key identifier: one key cycle, or a key above it in the
// ladder when L2, or L1 and L2, are -1 ([MS-GKDI]).
type Interval struct{ L0, L1, L2 int32 }

// IntervalAt is the cycle that t is in.
func IntervalAt(t time.Time) Interval { return FromTime(t).Interval() }

// Interval is the cycle that f is in.
func (f FILETIME) Interval() Interval { return fromCycle(int64(uint64(f) / ticksPerCycle)) }

// lastCycle is the cycle of the last moment a FILETIME can tell.
const lastCycle = int64(math.MaxUint64 / uint64(KeyCycle/tick))

func fromCycle(n int64) Interval {
	n = min(max(n, 0), lastCycle)
	return Interval{int32(n / (levels * levels)), int32(n / levels % levels), int32(n % levels)}
}

// cycle is the number of the cycle, counted from 1601.
func (i Interval) cycle() int64 {
	return (int64(i.L0)*levels+int64(i.L1))*levels + int64(i.L2)
}

// Valid tells whether i is a cycle: no level is -1 or out of its range.
func (i Interval) Valid() bool {
	return i.L0 >= 0 && i.L1 >= 0 && i.L1 < levels && i.L2 >= 0 && i.L2 < levels && i.cycle() <= lastCycle
}

// Filetime is when the cycle begins. i must be Valid.
func (i Interval) Filetime() FILETIME { return FILETIME(uint64(i.cycle()) * ticksPerCycle) }

// Start is when the cycle begins, in UTC. i must be Valid.
func (i Interval) Start() time.Time { return i.Filetime().Time() }

// Add is the cycle n cycles later, or earlier when n is negative. It stays
// within what a FILETIME can tell.
func (i Interval) Add(n int64) Interval { return fromCycle(i.cycle() + n) }

// Sub is how many cycles i is after j.
func (i Interval) Sub(j Interval) int64 { return i.cycle() - j.cycle() }

// Compare orders intervals by L0, L1 and L2, in time for cycles.
func (i Interval) Compare(j Interval) int {
	return cmp.Or(cmp.Compare(i.L0, j.L0), cmp.Compare(i.L1, j.L1), cmp.Compare(i.L2, j.L2))
}

// String is the form "(363,30,20)".
func (i Interval) String() string { return fmt.Sprintf("(%d,%d,%d)", i.L0, i.L1, i.L2) }

// maxDays is the longest roll-over of which a FILETIME can tell the end.
const maxDays = lastCycle * 10 / 24

// Rollover is how many cycles a password is current, for an interval of days as
// in msDS-ManagedPasswordInterval: floor(days * 24 / 10) ([MS-ADTS]). 0 days are
// 0 cycles, with which no password can be computed.
func Rollover(days int) (cycles int64, err error) {
	if days < 0 || int64(days) > maxDays {
		return 0, fmt.Errorf("%w: managed password interval of %d days, must be 0 to %d", ErrInvalidArgument, days, maxDays)
	}
	return int64(days) * 24 / 10, nil
}
