package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// AuditFilter says which entries are wanted.
type AuditFilter struct {
	Actor       string `query:"actor" doc:"who did it, such as user:17 or cli:anna"`
	Action      string `query:"action" doc:"the beginning of it: import. finds all of imports"`
	SubjectKind string `query:"subject_kind" doc:"what kind of thing it is about, such as import"`
	SubjectID   string `query:"subject_id" doc:"the name or number of the thing"`
	Source      string `query:"source" doc:"where the actor acted from: an address, a device, a key"`
	From        string `query:"from" doc:"first day, UTC: 2026-03-01, 2026-03 or 2026"`
	To          string `query:"to" doc:"first day not included, UTC"`
	Search      string `query:"search" maxLength:"200" doc:"a text of the action, the subject, the reason or the detail, in any case"`
	Order       string `query:"order" enum:"oldest,newest" default:"oldest"`
}

func (p AuditFilter) filter() (audit.Filter, error) {
	period, err := quantity.ParsePeriod(p.From, p.To)
	f := audit.Filter{Actor: tenant.Actor(p.Actor), Action: p.Action, Subject: audit.Subject{Kind: p.SubjectKind, ID: p.SubjectID}, Source: p.Source, Text: p.Search, Newest: p.Order == "newest"}
	if !period.From.IsZero() {
		f.From = period.From.Time()
	}
	if !period.To.IsZero() {
		f.To = period.To.Time()
	}
	return f, err
}

type auditState struct {
	audit.Seen
	Key         audit.Key          `json:"key" doc:"public key that signs checkpoints; empty texts before the first"`
	Checkpoints []audit.Checkpoint `json:"checkpoints" doc:"signed heads, the newest first, at most 400"`
	Retention   retentionAnswer    `json:"retention"`
}

type retentionAnswer struct {
	audit.Retention
	Due  int64 `json:"due" doc:"entries whose content would go now"`
	Held bool  `json:"held" doc:"a legal hold stands: until it is lifted nothing goes"`
}

type retentionBody struct {
	audit.Retention
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"why, for the record"`
}

type auditVerdict struct {
	OK bool `json:"ok"`
	audit.Report
	TookMS int64 `json:"took_ms"`
}

// checkpointsShown covers a year of daily ones.
const checkpointsShown = 400

func (s *server) auditRoutes(api huma.API) {
	get(api, "list-audit", "/audit", "The audit record, oldest first unless order says otherwise", s.auditList)
	get(api, "get-audit-state", "/audit/state", "Who and what the record tells of, its checkpoints, key and retention", s.auditState)
	post(api, "verify-audit", "/audit/verify", "Check the audit chain, also against a head that was kept elsewhere", s.verifyAudit)
	post(api, "sign-audit-checkpoint", "/audit/checkpoints", "Sign where the audit chain ends", func(ctx context.Context, _ *none) (audit.Checkpoint, error) {
		if s.Checkpoint == nil {
			return audit.Checkpoint{}, fault.Newf(fault.Unavailable, "this server cannot sign: run moatmetrics audit checkpoint")
		}
		return s.Checkpoint(ctx, s.scope(ctx))
	})
	get(api, "due-audit-retention", "/audit/retention", "What a retention would remove now", func(ctx context.Context, in *struct {
		Days     int `query:"days" minimum:"0" maximum:"36500"`
		ReadDays int `query:"read_days" minimum:"0" maximum:"36500"`
	}) (retentionAnswer, error) {
		return s.due(ctx, audit.Retention{Days: in.Days, ReadDays: in.ReadDays})
	})
	register(api, huma.Operation{OperationID: "set-audit-retention", Method: http.MethodPut, Path: "/api/v1/audit/retention", Summary: "Set how long entries keep their content"}, s.setRetention)

	checkpoint := fileOf(api, "get-audit-checkpoint", "/audit/checkpoints/{seq}", "A checkpoint as a file, to be kept elsewhere", audit.Checkpoint{})
	checkpoint.Description = "What moatmetrics verify --head reads."
	delete(checkpoint.Responses["200"].Content, "text/csv")
	delete(checkpoint.Responses["200"].Content, xlsxType)
	huma.Register(api, checkpoint, func(ctx context.Context, in *struct {
		Seq int64 `path:"seq"`
	}) (*huma.StreamResponse, error) {
		var c audit.Checkpoint
		if err := s.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
			c, err = s.Audit.CheckpointAt(ctx, s.scope(ctx), tx, in.Seq)
			return err
		}); err != nil {
			return nil, problemOf(err)
		}
		return attachment(s.opt.Log, fmt.Sprintf("audit-checkpoint-%s-%d.json", c.At[:10], c.Seq), "application/json", func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(c)
		}), nil
	})

	export := fileOf(api, "export-audit", "/audit/export", "The entries that fit as a file", struct {
		Kind    string        `json:"kind"`
		Tenant  string        `json:"tenant"`
		Entries []audit.Entry `json:"entries" doc:"each also with detail_text, the text that its hash covers"`
	}{})
	export.Description = "All entries that fit. In CSV, texts that a spreadsheet would run as a formula have a ' in front. JSON with all entries, the oldest first, is what docs/audit.md checks the chain with."
	delete(export.Responses["200"].Content, xlsxType)
	huma.Register(api, export, func(ctx context.Context, in *struct {
		AuditFilter
		Format string `query:"format" enum:"csv,json" default:"csv"`
	}) (*huma.StreamResponse, error) {
		f, err := in.filter()
		if err != nil {
			return nil, problemOf(err)
		}
		scope := s.scope(ctx)
		write, media := s.Audit.WriteCSV, csvType
		if in.Format == "json" {
			write, media = s.Audit.WriteJSON, "application/json"
		}
		return attachment(s.opt.Log, "audit-"+time.Now().UTC().Format(time.DateOnly)+"."+in.Format, media, func(w io.Writer) error {
			return write(ctx, scope, s.DB, f, 0, w)
		}), nil
	})
}

func (s *server) auditList(ctx context.Context, in *struct {
	AuditFilter
	Paging
}) (page[audit.Entry], error) {
	out := page[audit.Entry]{Items: []audit.Entry{}}
	f, err := in.filter()
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *metadb.Tx) error {
		entries, err := s.Audit.Search(ctx, s.scope(ctx), tx, f, audit.Page{After: in.Cursor, Limit: in.Limit})
		if len(entries) > 0 {
			out.Items = entries
		}
		return err
	})
	if len(out.Items) == in.Limit {
		out.Next = out.Items[len(out.Items)-1].Seq
	}
	return out, err
}

func (s *server) auditState(ctx context.Context, _ *none) (auditState, error) {
	out := auditState{Checkpoints: []audit.Checkpoint{}}
	scope := s.scope(ctx)
	err := s.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
		if out.Seen, err = s.Audit.Seen(ctx, scope, tx); err != nil {
			return err
		}
		if out.Key, err = s.Audit.PublicKey(ctx, scope, tx); err != nil {
			return err
		}
		list, err := s.Audit.Checkpoints(ctx, scope, tx, checkpointsShown)
		if err != nil {
			return err
		}
		out.Checkpoints = append(out.Checkpoints, list...)
		if out.Retention.Retention, err = s.Audit.RetentionOf(ctx, scope, tx); err != nil {
			return err
		}
		out.Retention.Due, err = s.Audit.Due(ctx, scope, tx, out.Retention.Retention)
		return err
	})
	if err != nil {
		return out, err
	}
	out.Retention.Held, err = s.Governance.Held(ctx, scope)
	return out, err
}

// noteRead puts on the record that stored or rejected rows, in which persons are named, are
// read; they are not given when it fails. The owner of this machine is not recorded.
func (s *server) noteRead(ctx context.Context, what audit.Subject) error {
	scope := s.scope(ctx)
	if s.Reads == nil || scope.Rights == nil {
		return nil
	}
	return s.Reads.Note(ctx, scope, audit.Read{Class: tenant.Personal, What: what})
}

func (s *server) verifyAudit(ctx context.Context, in *struct {
	Body struct {
		Head string `json:"head,omitempty" maxLength:"100000" doc:"content of a file with a checkpoint or head that was kept elsewhere"`
	}
}) (auditVerdict, error) {
	out := auditVerdict{}
	var kept []audit.Head
	if in.Body.Head != "" {
		head, _, err := audit.ParseHead([]byte(in.Body.Head), s.scope(ctx).Tenant)
		if err != nil {
			return out, err
		}
		kept = append(kept, head)
	}
	if !s.verify.TryLock() {
		return out, fault.Newf(fault.Conflict, "the data is being verified: wait for that answer")
	}
	defer s.verify.Unlock()
	start := time.Now()
	report, err := s.Audit.Verify(ctx, s.scope(ctx), s.DB, kept...)
	if report.Faults == nil {
		report.Faults = []audit.Fault{}
	}
	return auditVerdict{len(report.Faults) == 0, report, time.Since(start).Milliseconds()}, err
}

func (s *server) due(ctx context.Context, r audit.Retention) (retentionAnswer, error) {
	held, err := s.Governance.Held(ctx, s.scope(ctx))
	if err != nil {
		return retentionAnswer{}, err
	}
	out := retentionAnswer{Retention: r, Held: held}
	err = s.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
		out.Due, err = s.Audit.Due(ctx, s.scope(ctx), tx, r)
		return err
	})
	return out, err
}

func (s *server) setRetention(ctx context.Context, in *struct{ Body retentionBody }) (retentionAnswer, error) {
	if err := s.DB.Transact(ctx, func(tx *metadb.Tx) error {
		return s.Audit.SetRetention(ctx, s.scope(ctx), tx, in.Body.Retention, in.Body.Reason)
	}); err != nil {
		return retentionAnswer{}, err
	}
	return s.due(ctx, in.Body.Retention)
}
