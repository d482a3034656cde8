package cron_test

import (
	"slices"
	"testing"
	"time"

	"github.com/adhocore/gronx"
	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/cron"
)

func TestTheNextTimeIsThatOfTheZonesClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, cron, zone, after, want string }{
		{"the first of a month, in a zone that goes back at midnight", "0 7 1 * *", "America/Havana", "2026-10-20T00:00:00Z", "2026-11-01T12:00:00Z"},
		{"the first of a month, in a zone that goes ahead at midnight", "0 7 1 * *", "America/Havana", "2026-03-02T00:00:00Z", "2026-04-01T11:00:00Z"},
		{"Santiago goes back", "0 7 1 * *", "America/Santiago", "2026-03-20T00:00:00Z", "2026-04-01T10:00:00Z"},
		{"Santiago goes ahead", "0 7 1 * *", "America/Santiago", "2026-09-02T00:00:00Z", "2026-10-01T10:00:00Z"},
		{"the Azores go ahead at midnight", "0 7 1 * *", "Atlantic/Azores", "2026-03-02T00:00:00Z", "2026-04-01T07:00:00Z"},
		{"the Azores go back", "0 7 1 * *", "Atlantic/Azores", "2026-10-02T00:00:00Z", "2026-11-01T08:00:00Z"},
		{"a midnight that there is not is the first time of the day", "0 0 * * *", "America/Havana", "2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z"},
		{"a time that there is twice is its first", "0 1 1 * *", "America/New_York", "2026-10-20T00:00:00Z", "2026-11-01T05:00:00Z"},
		{"and not its second", "0 1 1 * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-12-01T06:00:00Z"},
		{"also when it was late", "0 1 1 * *", "America/New_York", "2026-11-01T05:59:00Z", "2026-12-01T06:00:00Z"},
		{"asked for in the hour that comes again", "30 1 * * *", "America/New_York", "2026-11-01T06:10:00Z", "2026-11-02T06:30:00Z"},
		{"a time that there is not is right after the gap", "0 2 8 * *", "America/New_York", "2026-03-01T00:00:00Z", "2026-03-08T07:00:00Z"},
		{"daily in the gap", "30 2 * * *", "America/New_York", "2026-03-07T08:00:00Z", "2026-03-08T07:00:00Z"},
		{"and the day after", "30 2 * * *", "America/New_York", "2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"},
		{"the day before", "30 2 * * *", "America/New_York", "2026-03-07T06:00:00Z", "2026-03-07T07:30:00Z"},
		{"east of Greenwich, in the gap", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"east of Greenwich, twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{"half an hour, in the gap", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
		{"a zone without changes", "0 7 1 * *", "Asia/Kolkata", "2026-03-02T00:00:00Z", "2026-04-01T01:30:00Z"},
		{"far east", "0 7 1 * *", "Pacific/Kiritimati", "2026-03-02T00:00:00Z", "2026-03-31T17:00:00Z"},
		{"the leap day", "0 7 29 2 *", "America/Havana", "2026-03-02T00:00:00Z", "2028-02-29T12:00:00Z"},
		{"a second after a time", "0 7 * * *", "UTC", "2026-03-02T07:00:01Z", "2026-03-03T07:00:00Z"},
		{"a second before a time", "0 7 * * *", "UTC", "2026-03-02T06:59:59Z", "2026-03-02T07:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			got, err := cron.Next(c.cron, c.zone, after)
			if err != nil || got.Format(time.RFC3339) != c.want {
				t.Errorf("after %s: %s, want %s (%v)", c.after, got.Format(time.RFC3339), c.want, err)
			}
		})
	}
}

// Whatever the clock of a zone does: each time of an expression is due once, at the first moment
// at which the clock shows it or, when it skips it, a later one. It is compared with a clock
// that is watched minute by minute.
func TestEachTimeOfTheClockIsDueOnce(t *testing.T) {
	t.Parallel()
	zones := []string{"America/Havana", "America/Santiago", "Atlantic/Azores", "America/New_York", "America/St_Johns", "Europe/Berlin", "Europe/Dublin",
		"Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Pacific/Chatham", "Pacific/Apia", "Asia/Kathmandu", "UTC"}
	crons := []string{"0 7 1 * *", "0 0 * * *", "30 0 * * *", "0 1 * * *", "30 1 * * *", "0 2 * * *", "30 2 * * *", "0,30 2 * * *", "15 2,3 * * *", "0 * * * *", "*/20 * * * *", "0 2 * * 0", "0 0 1,15 * 1", "59 23 * * *", "0 3 8-14 3 *"}
	clock := gronx.New()
	rapid.Check(t, func(t *rapid.T) {
		name, expression := rapid.SampledFrom(zones).Draw(t, "zone"), rapid.SampledFrom(crons).Draw(t, "cron")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 525600).Draw(t, "minute")) * time.Minute)
		if _, change := from.In(zone).ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "near a change") {
			from = change.Add(-time.Duration(rapid.IntRange(1, 1500).Draw(t, "minutes before")) * time.Minute)
		}
		from = from.UTC().Truncate(time.Minute)
		to := from.Add(50 * time.Hour)
		wall := func(at time.Time) time.Time {
			_, offset := at.In(zone).Zone()
			return at.Add(time.Duration(offset) * time.Second)
		}
		shown := wall(from) // the latest that the clock has shown
		for at := from.Add(-4 * time.Hour); at.Before(from); at = at.Add(time.Minute) {
			if w := wall(at); w.After(shown) {
				shown = w
			}
		}
		var want []string
		for at := from.Add(time.Minute); at.Before(to); at = at.Add(time.Minute) {
			due := false
			for now := wall(at); shown.Before(now); {
				shown = shown.Add(time.Minute)
				is, err := clock.IsDue(expression, shown)
				if err != nil {
					t.Fatal(err)
				}
				due = due || is
			}
			if due {
				want = append(want, at.Format(time.RFC3339))
			}
		}
		var got []string
		for at := from; ; {
			next, err := cron.Next(expression, name, at)
			if err != nil {
				t.Fatal(err)
			}
			if !next.After(at) {
				t.Fatalf("%s is not after %s", next, at)
			}
			if !next.Before(to) {
				break
			}
			got, at = append(got, next.Format(time.RFC3339)), next
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s in %s from %s:\ngot  %v\nwant %v", expression, name, from.Format(time.RFC3339), got, want)
		}
	})
}
