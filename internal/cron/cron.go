// Package cron says when a cron expression is due by the clock of a time zone.
//
// It does not own what is due, nor who remembers when: inbox has the times of sources, report
// those of schedules.
package cron

import (
	"time"

	"github.com/adhocore/gronx"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Next is the first instant after another at which an expression is due: when the clock of a
// zone, such as America/New_York, first shows one of its times. A time that the clock skips is
// due right after the gap, one that it shows twice the first time only.
func Next(expression, zone string, after time.Time) (time.Time, error) {
	place, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fault.Wrapf(fault.Invalid, err, "%q is no time zone: write one such as America/New_York", zone)
	}
	// The library counts on a clock that never changes.
	next, err := gronx.NextTickAfter(expression, lastShown(after, place), false)
	if err != nil {
		return time.Time{}, fault.Wrapf(fault.Invalid, err, "%q has no next time", expression)
	}
	return firstShown(next, place), nil
}

// lastShown is the latest time that the clock of a zone has shown up to an instant, as if it
// were UTC: after it was put back that is what it showed before.
func lastShown(at time.Time, zone *time.Location) time.Time {
	shown := wall(at.In(zone))
	if begin, _ := at.In(zone).ZoneBounds(); !begin.IsZero() {
		if before := wall(begin.Add(-time.Second)); before.After(shown) {
			return before
		}
	}
	return shown
}

// firstShown is the instant at which the clock of a zone first shows a time, which is given as
// if it were UTC, or a later one.
func firstShown(shown time.Time, zone *time.Location) time.Time {
	from := shown.Add(-24 * time.Hour).In(zone) // no clock shows it yet
	for {
		_, offset := from.Zone()
		at := shown.Add(-time.Duration(offset) * time.Second)
		_, end := from.ZoneBounds()
		switch {
		case at.Before(from): // skipped when the clock was put ahead
			return from.UTC()
		case end.IsZero() || at.Before(end):
			return at
		}
		from = end
	}
}

// wall is what the clock of a time's zone shows, as if it were UTC.
func wall(at time.Time) time.Time {
	_, offset := at.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}
