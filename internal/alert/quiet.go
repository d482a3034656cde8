package alert

import (
	"slices"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Window is a time of quiet that comes every week: it begins on each of the days and ends at To,
// on the next day when To is not after From. From and To alike are a whole day.
type Window struct {
	Days []string `json:"days,omitempty" nullable:"false" maxItems:"7" doc:"mon, tue, wed, thu, fri, sat, sun; every day when left out"`
	From string   `json:"from" doc:"such as 22:00"`
	To   string   `json:"to" doc:"such as 07:00; on the next day when it is not after from"`
}

// days are the names of weekdays as time.Weekday counts them.
var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// minutes of a day at which a clock shows a text such as 07:30.
func minutesOf(text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return 0, fault.Newf(fault.Invalid, "must be a time such as 07:30")
	}
	return t.Hour()*60 + t.Minute(), nil
}

// at is the instant at which a clock in a zone shows some minutes of a day. A time that is left
// out in spring is the one an hour later; of one that comes twice in autumn it is the first.
func at(year int, month time.Month, day, minutes int, zone *time.Location) time.Time {
	return time.Date(year, month, day, minutes/60, minutes%60, 0, 0, zone)
}

// check returns what is wrong with a window, by field.
func (w Window) check() []fault.Field {
	var wrong []fault.Field
	for _, d := range w.Days {
		if !slices.Contains(days, d) {
			wrong = append(wrong, fault.Field{Path: "days", Message: d + " is not a day", Allowed: days})
		}
	}
	for path, text := range map[string]string{"from": w.From, "to": w.To} {
		if _, err := minutesOf(text); err != nil {
			wrong = append(wrong, fault.Field{Path: path, Message: fault.Message(err)})
		}
	}
	slices.SortFunc(wrong, func(a, b fault.Field) int { return cmpText(a.Path, b.Path) })
	return wrong
}

// end is when the window that an instant lies in ends; ok is false when it lies in none.
func (w Window) end(t time.Time, zone *time.Location) (end time.Time, ok bool) {
	from, err := minutesOf(w.From)
	if err != nil {
		return t, false
	}
	to, err := minutesOf(w.To)
	if err != nil {
		return t, false
	}
	local := t.In(zone)
	for back := range 2 { // one that began yesterday may go on
		y, m, d := local.AddDate(0, 0, -back).Date()
		begin := at(y, m, d, from, zone)
		if len(w.Days) > 0 && !slices.Contains(w.Days, days[time.Date(y, m, d, 12, 0, 0, 0, zone).Weekday()]) {
			continue
		}
		end := at(y, m, d, to, zone)
		if to <= from {
			end = at(y, m, d+1, to, zone)
		}
		if !t.Before(begin) && t.Before(end) {
			return end, true
		}
	}
	return t, false
}

// untilLoud is the first instant from t on that lies in no window; ok is false when there is none
// within two weeks.
func untilLoud(windows []Window, t time.Time, zone *time.Location) (loud time.Time, ok bool) {
	for last := t.AddDate(0, 0, 14); t.Before(last); {
		in := false
		for _, w := range windows {
			if end, quiet := w.end(t, zone); quiet {
				t, in = end, true
			}
		}
		if !in {
			return t, true
		}
	}
	return t, false
}

// nextAt is the first instant from t on at which a clock in a zone shows some minutes.
func nextAt(t time.Time, minutes int, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	for n := range 3 {
		if next := at(y, m, d+n, minutes, zone); !next.Before(t) {
			return next
		}
	}
	return t
}

// when is the instant at which a route tells of something that it learns of at t.
func (r Route) when(t time.Time, critical bool, zone *time.Location) (time.Time, error) {
	if r.DailyAt != "" && !critical {
		minutes, err := minutesOf(r.DailyAt)
		if err != nil {
			return t, err
		}
		t = nextAt(t, minutes, zone)
	}
	if next, ok := r.pauseEnds(); ok && next.After(t) {
		t = next
	}
	if critical {
		return t, nil
	}
	loud, ok := untilLoud(r.Quiet, t, zone)
	if !ok {
		return t, fault.Newf(fault.Invalid, "the route %s is always quiet: %s", r.Name, alwaysQuiet)
	}
	return loud, nil
}

// pauseEnds is when a route that tells something only so often may tell something again; ok is false
// for others.
func (r Route) pauseEnds() (end time.Time, ok bool) {
	if r.EveryMinutes == 0 || r.SentAt == nil {
		return end, false
	}
	return r.SentAt.Add(time.Duration(r.EveryMinutes) * time.Minute), true
}

const alwaysQuiet = "leave some time of the week open, or pause the route"

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
