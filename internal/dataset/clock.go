package dataset

import (
	"regexp"
	"slices"
)

// When work began and ended is in columns of instants, or in a column of times beside one
// of days. The day's column may be that of the work's date, too. These instants only serve
// checks: one that cannot be read costs no row and is never a reason to ask.

func isClock(f Field) bool { return f.Name == "started_at" || f.Name == "ended_at" }

// clockColumns are the headers of instants and times, and of the days that are not the
// work's date, in normal form.
var clockColumns = []struct {
	field string
	names []string
	days  []string
}{
	{"started_at", []string{"starttime", "timestart", "starttimelocal", "startedat", "startedon", "start", "started", "startdatetime", "starttimestamp", "clockin", "timein", "from", "timefrom", "beginn", "von", "début", "starttijd"}, nil},
	{"ended_at", []string{"endtime", "timeend", "endtimelocal", "stoptime", "endedat", "endedon", "end", "ended", "enddatetime", "endtimestamp", "stop", "clockout", "timeout", "to", "timeto", "finishtime", "ende", "bis", "fin", "eindtijd"}, []string{"enddate", "stopdate", "dateend"}},
}

var timeOfDay = regexp.MustCompile(`(?i)^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]\.?m\.?)?$`)

// bindClock finds the columns of started_at and ended_at.
func bindClock(d Dataset, headers []string, columns []column, bound map[string]binding, used map[int]bool) {
	if d.Name != "time_entries" {
		return
	}
	if b, ok := bound["started_at"]; ok {
		if _, dated := bound["work_date"]; !dated {
			b.Field = "work_date"
			bound["work_date"] = b
		}
	}
	day, dated := bound["work_date"]
	find := func(names []string) int {
		for _, n := range names {
			if i := slices.IndexFunc(headers, func(h string) bool { return normalizeHeader(h).full == n }); i >= 0 && !used[i] {
				return i
			}
		}
		return -1
	}
	share := func(i int, is func(string) bool) float64 {
		if columns == nil || columns[i].filled == 0 {
			return 0
		}
		return columns[i].share(is)
	}
	for _, c := range clockColumns {
		b, told := bound[c.field]
		at := -1
		if told {
			at = b.Columns[0]
		} else if at = find(c.names); at < 0 {
			continue
		}
		of := []int{at}
		switch {
		case share(at, timeOfDay.MatchString) >= sure:
			on := find(c.days)
			if on < 0 && dated {
				on = day.Columns[0]
			}
			if on < 0 || on == at {
				continue
			}
			of = []int{on, at}
			used[on] = true
		case told:
			continue
		case share(at, func(v string) bool { return isDay(v) && !timeOfDay.MatchString(v) }) < sure:
			continue
		}
		if !told {
			b = binding{Field: c.field, Unit: 1, Confidence: confidentCut, Evidence: []string{"it holds times of the day"}}
		}
		b.Columns = of
		bound[c.field] = b
		used[at] = true
	}
}
