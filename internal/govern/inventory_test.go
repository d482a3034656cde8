package govern_test

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/govern"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metadb/metadbtest"
)

// impersonal are the texts of the control database that hold no personal data: names of
// things, states, hashes, instants and numbers. "table.*" is a whole table.
var impersonal = []string{
	"tenant.*", "control.*", "id_counter.*", "pending_file.*", "data_file_extra.*", "audit_head.*", "definition_head.*", "peer_release.*", "peer_release_member.*", "push_key.*", "alert_due.*",
	"*.id", "*.at", "*.kind", "*.status", "*.state", "*.sha256", "*.digest", "*.lease", "*.created_at", "*.updated_at", "*.deleted_at", "*.finished_at", "*.started_at", "*.touched_at", "*.saved_at", "*.closed_at", "*.changed_at", "*.decided_at", "*.ended_at", "*.joined_at", "*.read_at", "*.seen_at", "*.done_at", "*.ran_at", "*.due_at", "*.first_at", "*.last_at", "*.received_on", "*.due_on", "*.period_from", "*.period_to", "*.month", "*.day",
	"*.dataset", "*.what", "*.source_system", "*.item_id", "*.source_id", "*.upload_id", "*.batch_id", "*.proposal", "*.action", "*.subject_kind", "*.prev_hash", "*.hash", "*.verdict",
	"access_link.clients", "access_link.role", "access_link.teams", "access_link.expires_at", "account.password_at", "account_key.sealed", "api_key.actions", "api_key.expires_at", "*.used_at", "passkey.host", "session.confirmed_at", "*.until_at", "spent_token.*",
	"audit_checkpoint.*", "audit_key.*", "audit_event.content", "audit_event.salt", "audit_read.class", "audit_read.hour", "notice.needs", "notice_read.notice_id", "policy_head.view_key", "secret_key.*",
	"proposal.classes", "proposal.currency", "proposal.due", "proposal.escalated_at", "proposal.expires", "proposal.first_verdict", "proposal.money", "review_comment.edited_at", "review_comment.salt", "review_reset.reset_at",
	"alert_ack.hit_id", "alert_message.rights", "alert_message.route_id", "alert_route.sent_at", "delivery.destination_id", "delivery.once", "idempotency.media", "idempotency.held_until",
	"report.template", "report.format", "report.as_of", "report.settings_hash", "report.input_hash", "report.rights", "report.made_at", "report.removed_at", "report.schedule", "report.product",
	"report_receipt.report", "report_receipt.channel", "report_receipt.delivery", "report_schedule.next_at",
	"import_reject.column_name", "import_reject.code", "workspace_usage.feature", "workspace_settings.*", "source_file.mark", "rule_hit.rule", "rule_hit.value", "metric_setting.name",
}

func TestEveryTextOfTheControlDatabaseIsInTheInventoryOrHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	db, _ := metadbtest.Open(t, metadb.SQLite)
	listed := govern.ControlColumns()
	var columns []string
	err := db.Read(t.Context(), func(tx *metadb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT' AND m.name NOT LIKE 'ducklake%' AND m.name NOT LIKE 'river%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' ORDER BY 1")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			columns = append(columns, name)
		}
		return rows.Err()
	})
	if err != nil || len(columns) < 100 {
		t.Fatalf("%d columns, %v", len(columns), err)
	}
	for _, c := range columns {
		table, field, _ := strings.Cut(c, ".")
		if !slices.Contains(listed, c) && !slices.Contains(impersonal, c) && !slices.Contains(impersonal, table+".*") && !slices.Contains(impersonal, "*."+field) {
			t.Errorf("%s is neither in the inventory (control.go) nor known to hold nothing personal", c)
		}
	}
	for _, c := range listed {
		if !slices.Contains(columns, c) && !strings.HasPrefix(c, "ducklake") {
			t.Errorf("%s is in the inventory and not in the database", c)
		}
	}
}

func TestTheInventoryNamesPrivateColumnsAndHowLongTheyAreKept(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.send(t, "time.csv", timeCSV)
	x.set(t, "time_entries", govern.Private, 24)
	list, err := x.Inventory(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(i govern.Item) bool { return i.Table == "time_entries_private" && i.Field == "notes" })
	if i < 0 || list[i].Kept != "24 months" || list[i].Rows != 4 {
		t.Errorf("the notes are %+v", list[max(i, 0)])
	}
	var b bytes.Buffer
	if err := govern.WriteInventory(&b, list); err != nil || strings.Count(b.String(), "\n") != len(list)+1 {
		t.Errorf("%d lines for %d fields, %v", strings.Count(b.String(), "\n"), len(list), err)
	}
}

func TestACopyHasWhatIsStoredOfThePersonAndOfNobodyElse(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	x.send(t, "time.csv", timeCSV)
	x.send(t, "tickets.csv", ticketsCSV)
	r, err := x.NewRequest(t.Context(), acme, govern.RequestSpec{Kind: govern.Access, Person: x.find(t, "Dana Ortiz").Key})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := x.Bundle(t.Context(), acme, r.ID, &b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	for _, has := range []struct{ file, text string }{{"person.json", "Dana Ortiz"}, {"tables/time_entries.csv", "T-1"}, {"tables/time_entries_private.csv", "Reset MFA"}, {"tables/time_entries_private.csv", "Took over from"}, {"tables/tickets_private.csv", "Printer of"}, {"audit.json", "request.new"}, {"data.json", "T-3"}} {
		if !strings.Contains(files[has.file], has.text) {
			t.Errorf("%s lacks %q: %s", has.file, has.text, files[has.file])
		}
	}
	if strings.Contains(files["tables/time_entries_private.csv"], "Nothing of note") || strings.Contains(files["tables/time_entries.csv"], "T-4") {
		t.Error("rows of somebody else are in it")
	}
	if r, err = x.Answered(t.Context(), acme, r.ID); err != nil || r.State != govern.Done {
		t.Errorf("%+v, %v", r, err)
	}
}
