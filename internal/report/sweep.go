package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const (
	// draftAge is from which age on a file that nobody finished is taken away.
	draftAge = 2 * time.Hour
	// orphanAge is the same for whole files that no report names: one that was made just
	// before the program was killed is named when it is made again.
	orphanAge = 24 * time.Hour
)

// Sweep takes away what a killed program left: drafts, files that no report names, and reports
// that nobody is making any more, which become failed.
func (s *Service) Sweep(ctx context.Context, scope tenant.Scope) error {
	if err := scope.Check(); err != nil {
		return err
	}
	now := s.opt.Now()
	if _, err := s.exec(ctx, "give_up", string(scope.Tenant), metadb.Now(now.Add(-draftAge)), "the program ended while it was made: make it again", metadb.Now(now)); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	named, err := s.named(ctx, scope)
	if err != nil {
		return err
	}
	root := filepath.Join(s.opt.Dir, string(scope.Tenant))
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		age, name := now.Sub(info.ModTime()), e.Name()
		draft := !hashForm.MatchString(name)
		orphan := filepath.Base(filepath.Dir(path)) == "files" && named[name] == 0
		if draft && age > draftAge || !draft && orphan && age > orphanAge {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
}

// named are the kept files by hash, with their sizes.
func (s *Service) named(ctx context.Context, scope tenant.Scope) (map[string]int64, error) {
	out := map[string]int64{}
	err := s.DB.Read(ctx, func(tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, queries.Get("files"), string(scope.Tenant))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var sum string
			var size int64
			if err := rows.Scan(&sum, &size); err != nil {
				return err
			}
			out[sum] = size
		}
		return rows.Err()
	})
	return out, err
}

// Damage is a kept file that is not what its record says.
type Damage struct{ SHA256, What string }

// Verify reads every kept file and returns those that are missing or changed.
func (s *Service) Verify(ctx context.Context, scope tenant.Scope) ([]Damage, error) {
	named, err := s.named(ctx, scope)
	if err != nil {
		return nil, err
	}
	var out []Damage
	for sum := range named {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := os.Open(s.path(scope, sum))
		if errors.Is(err, fs.ErrNotExist) {
			out = append(out, Damage{sum, "the file is missing"})
			continue
		}
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		f.Close()
		if err != nil {
			return nil, err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != sum {
			out = append(out, Damage{sum, "the file was changed: its SHA-256 is " + got})
		}
	}
	slices.SortFunc(out, func(a, b Damage) int { return strings.Compare(a.SHA256, b.SHA256) })
	return out, nil
}
