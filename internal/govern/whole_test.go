package govern_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/review"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// cells lists the rows of all tables of the control database that hold one of the texts, in
// any case of letters.
func (x *world) cells(t *testing.T, texts ...string) []string {
	t.Helper()
	var out []string
	err := x.db.Read(t.Context(), func(tx *metadb.Tx) error {
		tables, row := "SELECT name FROM sqlite_master WHERE type = 'table'", "SELECT concat_ws(' | ', %s) FROM %s"
		if tx.Engine() == metadb.Postgres {
			tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
		}
		names, err := column(t.Context(), tx, tables)
		if err != nil {
			return err
		}
		if len(names) < 40 {
			t.Errorf("only %d tables are looked through", len(names))
		}
		for _, name := range names {
			fields := fmt.Sprintf("SELECT name FROM pragma_table_info('%s')", name)
			if tx.Engine() == metadb.Postgres {
				fields = fmt.Sprintf("SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '%s'", name)
			}
			columns, err := column(t.Context(), tx, fields)
			if err != nil {
				return err
			}
			for i, c := range columns {
				columns[i] = `CAST("` + c + `" AS TEXT)`
			}
			rows, err := column(t.Context(), tx, fmt.Sprintf(row, strings.Join(columns, ", "), `"`+name+`"`))
			if err != nil {
				return err
			}
			for _, r := range rows {
				for _, s := range texts {
					if strings.Contains(strings.ToLower(r), strings.ToLower(s)) {
						out = append(out, name+" has "+s+": "+r)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func column(ctx context.Context, tx *metadb.Tx, query string) ([]string, error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// One person is in everything that the program keeps: rows, texts, originals, accounts,
// comments, notices, feedback, questions, and the answers of repeated requests.
func TestAPersonGoesFromEveryFileAndEveryCellOnBothEngines(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		eraseFromEverything(t, newWorld(t)) // its file is in the data directory
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db, _ := metadbtest.Open(t, metadb.Postgres)
		x, err := openOn(db, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.data.Close(); x.w.Close() })
		eraseFromEverything(t, x)
	})
}

func eraseFromEverything(t *testing.T, x *world) {
	db := x.db
	x.load(t)
	x.send(t, "expenses.csv", "expense_id,client_name,expense_date,amount,description\nE-1,Bay Clinic,2026-03-09,18.33,Taxi for Dana Ortiz (555-0142)\n")
	ctx := t.Context()
	if _, err := x.users.SetUp(ctx, "olga@msp.example", "Olga Owner", words, access.Place{}); err != nil {
		t.Fatal(err)
	}
	token, _, err := x.users.Invite(ctx, acme, "dana.ortiz@msp.example", access.Standing{Role: "finance"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.users.Use(ctx, token, "Dana Ortiz", words+" deep", access.Who{}, access.Place{}); err != nil {
		t.Fatal(err)
	}
	comment, err := x.desk.Comment(ctx, acme, review.On{Kind: review.OnFinding, Key: "f", Label: "a finding of Dana Ortiz"}, "ask Dana Ortiz, 555-0142")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.space.AddFeedback(ctx, acme, workspace.Feedback{Comment: "dana.ortiz@msp.example likes it", Page: "/"}); err != nil {
		t.Fatal(err)
	}
	if err := db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := notice.New(db, clock).Send(ctx, acme, tx, notice.Notice{Kind: notice.Mentioned, Subject: comment.ID, Message: "Dana Ortiz mentions you", To: "user:1"}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO idempotency (tenant_id, id, runner, request, status, media, body, held_until, created_at) SELECT id, 'k', '', '', 200, 'application/json', '{\"name\":\"Dana Ortiz\"}', '', '' FROM tenant WHERE slug = 'acme'"); err != nil {
			return err
		}
		return review.New(db, x.log, clock).Propose(ctx, acme, tx, review.Proposal{Kind: "finding", Subject: "f", Label: "Overtime of Dana Ortiz", Evidence: []byte(`{"headline":"Dana Ortiz worked 300 hours"}`)})
	}); err != nil {
		t.Fatal(err)
	}
	before := x.totals(t)
	if len(before) < 9 || !strings.Contains(before[slices.Max(slices.Collect(maps.Keys(before)))], "3300.15") {
		t.Fatalf("the totals are %v", before)
	}
	r, err := x.NewRequest(ctx, acme, govern.RequestSpec{Kind: govern.Erasure, Person: x.find(t, "Dana Ortiz").Key, Also: []string{"555-0142"}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = x.Decide(ctx, acme, r.ID, govern.Approve, "identity checked"); err != nil {
		t.Fatal(err)
	}
	traces := []string{"dana", "ortiz", "555-0142"}
	if files, cells := x.holding(t, traces...), x.cells(t, traces...); len(files) < 9 || len(cells) < 9 {
		t.Fatalf("the test means nothing: only\n%v\n%s", files, strings.Join(cells, "\n"))
	}
	if r, err := x.Erase(ctx, acme, r.ID); err != nil || r.State != govern.Done {
		t.Fatalf("%+v, %v", r, err)
	}
	if left := x.holding(t, traces...); len(left) > 0 {
		t.Errorf("still in files: %v", left)
	}
	if left := x.cells(t, traces...); len(left) > 0 {
		t.Errorf("still in the control database:\n%s", strings.Join(left, "\n"))
	}
	if got := x.totals(t); !maps.Equal(got, before) {
		t.Errorf("the totals were\n%v\nand are\n%v", before, got)
	}
	x.verify(t)
}
