package alert_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/moatmetrics/moatmetrics/internal/alert"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWhenQuietHoursEnd(t *testing.T) {
	t.Parallel()
	night := []alert.Window{{From: "22:00", To: "07:00"}}
	weekend := []alert.Window{{Days: []string{"fri"}, From: "18:00", To: "00:00"}, {Days: []string{"sat", "sun"}, From: "00:00", To: "00:00"}, {Days: []string{"mon"}, From: "00:00", To: "07:00"}}
	for _, tc := range []struct {
		name, zone string
		windows    []alert.Window
		at, want   string
	}{
		{"none", "UTC", nil, "2026-06-30T23:00:00Z", "2026-06-30T23:00:00Z"},
		{"by day", "Europe/Berlin", night, "2026-06-30T12:00:00Z", "2026-06-30T12:00:00Z"},
		{"late in the evening", "Europe/Berlin", night, "2026-06-30T21:00:00Z", "2026-07-01T05:00:00Z"},
		{"early in the morning", "Europe/Berlin", night, "2026-07-01T03:00:00Z", "2026-07-01T05:00:00Z"},
		{"at the beginning", "UTC", night, "2026-06-30T22:00:00Z", "2026-07-01T07:00:00Z"},
		{"at the end it is loud", "UTC", night, "2026-07-01T07:00:00Z", "2026-07-01T07:00:00Z"},
		{"over a whole weekend", "America/New_York", weekend, "2026-06-26T23:00:00Z", "2026-06-29T11:00:00Z"},
		{"on a Tuesday", "America/New_York", weekend, "2026-06-30T23:00:00Z", "2026-06-30T23:00:00Z"},
		{"when clocks go forward", "Europe/Berlin", night, "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"},
		{"when clocks go back", "Europe/Berlin", night, "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"},
		{"a window in the hour that is left out", "Europe/Berlin", []alert.Window{{From: "02:10", To: "02:50"}}, "2026-03-29T00:30:00Z", "2026-03-29T00:30:00Z"},
	} {
		got, ok := alert.UntilLoud(tc.windows, instant(t, tc.at), zone(t, tc.zone))
		if !ok || !got.Equal(instant(t, tc.want)) {
			t.Errorf("%s: got %s, %v, want %s", tc.name, got.UTC().Format(time.RFC3339), ok, tc.want)
		}
	}
	if _, ok := alert.UntilLoud([]alert.Window{{From: "06:00", To: "06:00"}}, instant(t, "2026-06-30T12:00:00Z"), time.UTC); ok {
		t.Error("a day that is quiet as a whole, every day, has a loud instant")
	}
}

// Whatever the windows, the zone and the instant: the result is not before it, lies in no window, and
// everything between lies in one.
func TestLawsOfQuietHours(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{time.UTC, zone(t, "Europe/Berlin"), zone(t, "America/St_Johns"), zone(t, "Australia/Lord_Howe"), zone(t, "Pacific/Kiritimati")}
	names := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		clock := func(label string) string {
			m := rapid.IntRange(0, 24*4-1).Draw(t, label) * 15
			return fmt.Sprintf("%02d:%02d", m/60, m%60)
		}
		var windows []alert.Window
		for range rapid.IntRange(0, 3).Draw(t, "windows") {
			windows = append(windows, alert.Window{Days: rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID).Draw(t, "days"), From: clock("from"), To: clock("to")})
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(t, "minute")) * time.Minute)
		quiet := func(at time.Time) bool {
			for _, w := range windows {
				if _, in := w.End(at, z); in {
					return true
				}
			}
			return false
		}
		loud, ok := alert.UntilLoud(windows, at, z)
		if loud.Before(at) {
			t.Fatalf("%s is before %s", loud, at)
		}
		if ok && quiet(loud) {
			t.Fatalf("%s is quiet", loud)
		}
		for p := at; p.Before(loud) && p.Before(at.AddDate(0, 0, 3)); p = p.Add(5 * time.Minute) {
			if !quiet(p) {
				t.Fatalf("%s was loud already, before %s", p, loud)
			}
		}
	})
}

func TestWhenARouteTells(t *testing.T) {
	t.Parallel()
	sent := instant(t, "2026-06-30T09:55:00Z")
	for _, tc := range []struct {
		name     string
		route    alert.Route
		critical bool
		want     string
	}{
		{"at once", alert.Route{}, false, "2026-06-30T10:00:00Z"},
		{"not twice in half an hour", alert.Route{RouteSpec: alert.RouteSpec{EveryMinutes: 30}, SentAt: &sent}, false, "2026-06-30T10:25:00Z"},
		{"the first one at once", alert.Route{RouteSpec: alert.RouteSpec{EveryMinutes: 30}}, false, "2026-06-30T10:00:00Z"},
		{"a critical one not twice either", alert.Route{RouteSpec: alert.RouteSpec{EveryMinutes: 30}, SentAt: &sent}, true, "2026-06-30T10:25:00Z"},
		{"once a day", alert.Route{RouteSpec: alert.RouteSpec{DailyAt: "08:00"}}, false, "2026-07-01T08:00:00Z"},
		{"once a day, later today", alert.Route{RouteSpec: alert.RouteSpec{DailyAt: "10:00"}}, false, "2026-06-30T10:00:00Z"},
		{"a critical one does not wait for the day", alert.Route{RouteSpec: alert.RouteSpec{DailyAt: "08:00", Quiet: []alert.Window{{From: "08:00", To: "20:00"}}}}, true, "2026-06-30T10:00:00Z"},
		{"the daily one waits for the end of quiet hours", alert.Route{RouteSpec: alert.RouteSpec{DailyAt: "08:00", Quiet: []alert.Window{{From: "07:00", To: "09:00"}}}}, false, "2026-07-01T09:00:00Z"},
	} {
		got, err := tc.route.When(instant(t, "2026-06-30T10:00:00Z"), tc.critical, time.UTC)
		if err != nil || !got.Equal(instant(t, tc.want)) {
			t.Errorf("%s: got %s, %v, want %s", tc.name, got.UTC().Format(time.RFC3339), err, tc.want)
		}
	}
}
