package notify

import "time"

// hold returns until when a message to somebody in zone waits for its digest and for the end of quiet hours;
// zero: it leaves at once.
func hold(r RuleSettings, zone *time.Location, now time.Time) time.Time {
	until := now
	switch {
	case r.DigestMinutes == Daily:
		until = next(r.DigestAt, zone, now)
	case r.DigestMinutes > 0:
		step := time.Duration(r.DigestMinutes) * time.Minute
		until = now.Truncate(step).Add(step)
	}
	if end, quiet := quietEnd(r, zone, until); quiet {
		until = end
	}
	if until.Equal(now) {
		return time.Time{}
	}
	return until
}

// quietEnd returns when the quiet hours around a time end. From 22:00 until 06:00 goes over midnight.
func quietEnd(r RuleSettings, zone *time.Location, at time.Time) (time.Time, bool) {
	if r.QuietFrom == "" || r.QuietFrom == r.QuietUntil {
		return time.Time{}, false
	}
	clock := at.In(zone).Format("15:04")
	inside := r.QuietFrom <= clock && clock < r.QuietUntil
	if r.QuietFrom > r.QuietUntil {
		inside = clock >= r.QuietFrom || clock < r.QuietUntil
	}
	return next(r.QuietUntil, zone, at), inside
}

// next returns the next time after now at which the clocks in zone show "15:04". On the day on which clocks
// skip that time it is an hour off.
func next(clock string, zone *time.Location, now time.Time) time.Time {
	at, err := time.Parse("15:04", clock)
	if err != nil {
		at = time.Time{} // midnight
	}
	local := now.In(zone)
	for day := 0; ; day++ {
		t := time.Date(local.Year(), local.Month(), local.Day()+day, at.Hour(), at.Minute(), 0, 0, zone)
		if t.After(now) {
			return t
		}
	}
}
