package govern

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// outcome is what a request says of its erasure afterwards, without names.
type outcome struct {
	Snapshot warehouse.Snapshot        `json:"snapshot"`
	Epoch    int64                     `json:"epoch"`
	Tables   []warehouse.Affected      `json:"tables"`
	Control  []ControlHits             `json:"control"`
	Files    []FoundFile               `json:"files"`
	Rewrites []warehouse.RewrittenFile `json:"rewrites"`
	Keys     []string                  `json:"keys"`
	Notes    []string                  `json:"notes"`
}

// Erase carries an approved request out. It may be called again after any interruption, by
// any process, until the request is done: everything of the tables and the control database
// changes in one transaction, and what follows only removes what nothing names any more.
func (s *Service) Erase(ctx context.Context, scope tenant.Scope, id string) (Request, error) {
	for {
		r, err := s.request(ctx, scope, id)
		if err != nil {
			return r, err
		}
		switch r.State {
		case Approved:
			err = s.eraseTables(ctx, scope, r)
		case Cleaning:
			err = s.eraseFiles(ctx, scope, r)
		case Compacting:
			err = s.compact(ctx, scope, r)
		case Done:
			return s.Request(ctx, scope, id)
		default:
			return r, fault.Newf(fault.Conflict, "this request is %s: it is carried out once it is approved", r.State)
		}
		if err != nil {
			return r, fmt.Errorf("erasure %s: %w", id, err)
		}
	}
}

func (s *Service) eraseTables(ctx context.Context, scope tenant.Scope, r Request) error {
	p, err := s.plan(ctx, scope, r)
	if err != nil {
		return err
	}
	defer p.session.Close()
	if len(p.Holds) > 0 {
		return heldFault(p.Holds)
	}
	hashes, commitment, err := s.hashes(ctx, scope, p)
	if err != nil {
		return err
	}
	terms, err := spell(r, p.Person)
	if err != nil {
		return err
	}
	out := outcome{Tables: p.Tables, Control: p.Control, Files: p.Files, Keys: p.Keys, Notes: p.Notes}
	_, err = p.session.Rewrite(ctx, warehouse.Rewriting{Edits: p.edits, Kind: "erasure", Message: "A person was erased: request " + r.ID,
		Within: func(ctx context.Context, tx *metadb.Tx, w warehouse.Rewritten) error {
			out.Snapshot, out.Epoch, out.Rewrites = w.Snapshot, w.Epoch, w.Files
			if err := s.cleanControl(ctx, tx, scope, p.sp); err != nil {
				return err
			}
			if _, err := s.opt.Accounts.Erase(ctx, scope, tx, p.sp.Emails); err != nil {
				return err
			}
			for _, f := range p.Files {
				if f.ID != "" {
					if err := s.data.ForgetUpload(ctx, scope, tx, f.ID); err != nil {
						return err
					}
				}
			}
			if err := s.data.Suppress(ctx, scope, tx, hashes); err != nil {
				return err
			}
			text, err := json.Marshal(out)
			if err != nil {
				return err
			}
			if err := s.move(ctx, scope, tx, r, Cleaning, terms, string(text)); err != nil {
				return err
			}
			return s.append(ctx, scope, tx, "person.erase", "request", r.ID, int64(w.Snapshot), map[string]any{
				"person": commitment, "epoch": w.Epoch, "tables": p.Tables, "control": p.Control, "uploads": len(p.Files),
				"files": len(w.Files), "files_digest": digest(w.Files), "hashes": firstHashes(w.Files)})
		}})
	if err != nil {
		return err
	}
	s.opt.Log.InfoContext(ctx, "person erased from all tables", slog.String("request", r.ID), slog.Int("files", len(out.Rewrites)))
	return nil
}

// hashes are those under which the person is known from now on, and one salted commitment
// to all of them for the audit record.
func (s *Service) hashes(ctx context.Context, scope tenant.Scope, p *Plan) (list []string, commitment string, err error) {
	list = slices.Clone(p.Keys)
	for _, text := range slices.Concat(p.sp.Names, p.sp.Emails, p.sp.Also) {
		h, err := s.data.Pseudonym(ctx, scope, strings.TrimSpace(text))
		if err != nil {
			return nil, "", err
		}
		list = append(list, h)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	sum := sha256.Sum256([]byte(strings.Join(list, " ")))
	return list, hex.EncodeToString(sum[:]), nil
}

// digest is one hash over the hashes of all rewritten files, before and after; the request
// keeps the list.
func digest(files []warehouse.RewrittenFile) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %s %s %s\n", f.Before, f.BeforeSHA256, f.After, f.AfterSHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// maxHashes is how many files the audit record itself names.
const maxHashes = 200

func firstHashes(files []warehouse.RewrittenFile) [][2]string {
	out := [][2]string{}
	for _, f := range files[:min(len(files), maxHashes)] {
		out = append(out, [2]string{f.BeforeSHA256, f.AfterSHA256})
	}
	return out
}

// eraseFiles removes the files that hold the person and that nothing names any more.
func (s *Service) eraseFiles(ctx context.Context, scope tenant.Scope, r Request) error {
	sp, err := spellingOf(r.terms)
	if err != nil {
		return err
	}
	if _, err := s.w.SweepNow(ctx, scope); err != nil {
		return err
	}
	var out outcome
	if err := json.Unmarshal(r.Outcome, &out); err != nil {
		return err
	}
	// What came between the search and the commit goes, too.
	late, err := s.uploadsWith(ctx, scope, sp)
	if err != nil {
		return err
	}
	for _, f := range append(slices.Clone(out.Files), late...) {
		if f.Action != actionDelete {
			continue
		}
		path := filepath.Join(s.opt.DataDir, filepath.FromSlash(f.Name))
		if f.ID != "" {
			if path, err = s.data.UploadFile(scope, f.ID); err != nil {
				return err
			}
		}
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fault.Wrapf(fault.Unavailable, err, "a file that holds the person cannot be deleted: check the owner and permissions of the data directory")
		}
	}
	if err := s.opt.Reports.ForgetPerson(ctx, scope, sp.Emails); err != nil {
		return err
	}
	out.Files = append(out.Files, late...)
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		for _, f := range late {
			if err := s.data.ForgetUpload(ctx, scope, tx, f.ID); err != nil {
				return err
			}
		}
		if err := s.cleanControl(ctx, tx, scope, sp); err != nil {
			return err
		}
		return s.move(ctx, scope, tx, r, Compacting, "", string(text))
	})
}

// compact makes the control database let go of pages that still hold what was deleted.
func (s *Service) compact(ctx context.Context, scope tenant.Scope, r Request) error {
	tables := []string{"data_file_extra", "ducklake_data_file", "ducklake_file_column_stats"}
	for _, t := range controlTables {
		if !slices.Contains(tables, t.name) {
			tables = append(tables, t.name)
		}
	}
	if err := s.db.Compact(ctx, tables); err != nil {
		return err
	}
	return s.db.Transact(ctx, func(tx *metadb.Tx) error {
		if err := s.move(ctx, scope, tx, r, Done, "", string(r.Outcome)); err != nil {
			return err
		}
		return s.append(ctx, scope, tx, "person.erased", "request", r.ID, 0, nil)
	})
}
