package govern_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// TestMain lets this binary stand in for a process that erases somebody until it is killed.
func TestMain(m *testing.M) {
	if os.Getenv("MOAT_CHILD") != "erase" {
		os.Exit(m.Run())
	}
	x, err := open(os.Getenv("MOAT_CHILD_DIR"))
	if err != nil {
		panic(err)
	}
	fmt.Println("open")
	if _, err := x.Erase(context.Background(), acme, os.Getenv("MOAT_CHILD_REQUEST")); err != nil {
		panic(err)
	}
}

// named counts the kept snapshots whose tables name Dana, and those in which she is known
// by key alone.
func (x *world) named(t *testing.T) (with, without int) {
	t.Helper()
	snaps, err := x.w.Snapshots(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	for _, sn := range snaps {
		rows, err := x.w.Query(t.Context(), acme, warehouse.Statement{Snapshot: sn.ID, Uses: []warehouse.TableUse{{Name: "people"}, {Name: "time_entries_private"}, {Name: "clients"}}, SQL: `SELECT
 (SELECT count(*) FROM people WHERE name = 'Dana Ortiz') + (SELECT count(*) FROM clients WHERE account_manager = 'Dana Ortiz') + (SELECT count(*) FROM time_entries_private WHERE contains(notes, 'dana')),
 (SELECT count(*) FROM people WHERE kind = 'staff' AND name IS NULL) + (SELECT count(*) FROM clients WHERE account_manager LIKE '[erased%') + (SELECT count(*) FROM time_entries_private WHERE contains(notes, '[erased]'))`})
		if err != nil {
			t.Fatal(err)
		}
		if rows.Rows[0][0].(int64) > 0 {
			with++
		}
		if rows.Rows[0][1].(int64) > 0 {
			without++
		}
	}
	return with, without
}

func TestAKilledErasureIsWhollyDoneOrNotAtAll(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.send(t, "clients.csv", clientsCSV)
	x.send(t, "time.csv", timeCSV)
	before := x.totals(t)
	r := x.approve(t, "Dana Ortiz")
	rnd := rand.New(rand.NewPCG(3, 3))
	kills := 6
	if os.Getenv("MOAT_SOAK") != "" {
		kills = 100
	}
	for range kills {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "MOAT_CHILD=erase", "MOAT_CHILD_DIR="+x.dir, "MOAT_CHILD_REQUEST="+r.ID)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 5)
		_, _ = out.Read(line)
		time.Sleep(time.Duration(rnd.IntN(4000)) * time.Millisecond)
		child.Process.Kill()
		child.Wait()
		with, without := x.named(t)
		now, err := x.Request(t.Context(), acme, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case now.State == govern.Approved && (with == 0 || without > 0), now.State != govern.Approved && (with > 0 || without == 0):
			t.Fatalf("the request is %s, %d snapshots name the person and %d do not", now.State, with, without)
		}
		x.verify(t)
		if now.State == govern.Done {
			break
		}
	}
	if _, err := x.Erase(t.Context(), acme, r.ID); err != nil {
		t.Fatal(err)
	}
	if left := x.holding(t, "dana", "ortiz"); len(left) > 0 {
		t.Errorf("still found: %v", left)
	}
	for id, was := range before {
		if now := x.totals(t)[id]; now != was {
			t.Errorf("snapshot %d: %s became %s", id, was, now)
		}
	}
}
