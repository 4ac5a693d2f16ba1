package pack

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// formatTime writes a moment as an XML Schema dateTime, in UTC, to the
// millisecond and no more digits than needed.
func formatTime(t time.Time) string {
	t = t.UTC().Truncate(time.Millisecond)
	year := t.Year()
	sign := ""
	if year < 0 {
		sign, year = "-", -year
	}
	return fmt.Sprintf("%s%04d", sign, year) + t.Format("-01-02T15:04:05.999Z")
}

// parseTime reads an XML Schema dateTime; one without a zone is taken as UTC.
func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	year, rest, ok := strings.Cut(strings.TrimPrefix(s, "-"), "-")
	y, err := strconv.Atoi(year)
	if !ok || err != nil || len(year) < 4 || len(year) > 9 {
		return time.Time{}, fmt.Errorf("%w time %q", ErrInvalid, clip(s))
	}
	if neg {
		y = -y
	}
	// The rest does not depend on the year but for the 29th of February, which
	// the year 2000 has.
	layout := "2006-01-02T15:04:05.999999999"
	if strings.HasSuffix(rest, "Z") || len(rest) > 6 && strings.ContainsAny(rest[len(rest)-6:], "+-") {
		layout += "Z07:00"
	}
	t, err := time.Parse(layout, "2000-"+rest)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w time %q", ErrInvalid, clip(s))
	}
	_, offset := t.Zone()
	t = time.Date(y, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	return t.Add(-time.Duration(offset) * time.Second).Truncate(time.Millisecond), nil
}

// clip shortens text that goes into an error.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
