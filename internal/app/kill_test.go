package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

// TestNoChangeWithoutItsEventAndNoEventWithoutItsChange kills a server at random instants while
// people change things of several stores: afterwards each thing that is there stands on the
// record once, nothing else does, and what was answered is there.
func TestNoChangeWithoutItsEventAndNoEventWithoutItsChange(t *testing.T) {
	t.Parallel()
	kills := 10
	if os.Getenv("MOAT_SOAK") != "" {
		kills = 100
	}
	for _, engine := range metadbtest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			p := program{data: filepath.Join(t.TempDir(), "data"), env: []string{"MOAT_RATE_ACTOR=1000000", "MOAT_RATE_ADDRESS=1000000"}}
			dsn := filepath.Join(p.data, "moatmetrics.db")
			if engine == metadb.Postgres {
				dsn = metadbtest.DSN(t, engine)
				p.env = append(p.env, "MOAT_DATABASE="+dsn)
			}
			rnd := rand.New(rand.NewPCG(3, 9))
			var answered [3]atomic.Int64
			cookie := ""
			for round := range kills {
				s := p.serve(t)
				if s.cookie = cookie; cookie == "" {
					s.must(t, http.MethodPost, "/api/v1/set-up", fmt.Sprintf(`{"email":%q,"name":%q,"password":"three green boats on a lake"}`, owner, ownerName))
					cookie = s.cookie
				}
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				for worker, path := range []string{"kpis", "invitations", "dashboards"} {
					running.Go(func() {
						for n := 0; ctx.Err() == nil; n++ {
							body := []string{
								fmt.Sprintf(`{"name":"k%d_%d","formula":"revenue * 2"}`, round, n),
								fmt.Sprintf(`{"email":"r%d.n%d@example.com","role":"viewer"}`, round, n),
								fmt.Sprintf(`{"name":"Board %d %d","content":{"tiles":[]}}`, round, n),
							}[worker]
							if status, _, err := s.send(ctx, http.MethodPost, "/api/v1/"+path, body); err == nil && status < 300 {
								answered[worker].Add(1)
							}
						}
					})
				}
				time.Sleep(time.Duration(300+rnd.IntN(900)) * time.Millisecond)
				s.cmd.Process.Kill()
				cancel()
				running.Wait()
				<-s.eof
				s.cmd.Wait()
			}
			checkEvents(t, dsn, &answered)
			p.ok(t, "verify")
		})
	}
}

// checkEvents compares what is there with what the record tells.
func checkEvents(t *testing.T, dsn string, answered *[3]atomic.Int64) {
	t.Helper()
	db, err := metadb.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		for i, c := range [][2]string{
			{"SELECT COUNT(*) FROM definition", "kpi.create"},
			{"SELECT COUNT(*) FROM access_link", "account.invite"},
			{"SELECT COUNT(*) FROM workspace_item", "dashboard.create"},
		} {
			var there, told, subjects int64
			if err := tx.One(t.Context(), c[0], nil, &there); err != nil {
				return err
			}
			if err := tx.One(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT subject_id) FROM audit_event WHERE action = $1", []any{c[1]}, &told, &subjects); err != nil {
				return err
			}
			said := answered[i].Load()
			if there != told || told != subjects || there < said || said == 0 {
				t.Errorf("%s: %d are there, %d stand on the record, %d of them differ, %d were answered", c[1], there, told, subjects, said)
			}
			t.Logf("%s: %d, %d answered", c[1], there, said)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
