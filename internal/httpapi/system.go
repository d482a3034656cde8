package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// lowSpace is the free space below which imports may fail, bytes.
const lowSpace = 1 << 30

type systemAnswer struct {
	Version    string             `json:"version"`
	Go         string             `json:"go"`
	OS         string             `json:"os" doc:"system and processor, such as linux/amd64"`
	StartedAt  time.Time          `json:"started_at"`
	Database   string             `json:"database" doc:"sqlite or postgres"`
	Snapshot   warehouse.Snapshot `json:"snapshot" doc:"the current one"`
	Snapshots  int                `json:"snapshots" doc:"how many are kept"`
	Storage    storageAnswer      `json:"storage"`
	Jobs       map[string]int     `json:"jobs" doc:"how many by state, of all tenants"`
	Cache      cacheAnswer        `json:"cache" doc:"of query results, since the start"`
	Answers    answersAnswer      `json:"answers" doc:"the cache of encoded answers"`
	Tables     []tableAnswer      `json:"tables" doc:"of the current snapshot, those that hold rows; roll-ups last"`
	LastImport *time.Time         `json:"last_import_at" doc:"null when nothing was imported"`
	Problems   []systemProblem    `json:"problems"`
}

type storageAnswer struct {
	Files    int    `json:"files" doc:"data files on disk, older snapshots' included"`
	Bytes    int64  `json:"bytes" doc:"of those files"`
	Database int64  `json:"database_bytes,omitempty" doc:"of the control database; absent with PostgreSQL"`
	Free     *int64 `json:"free_bytes,omitempty" doc:"left on the disk; absent where the system does not say"`
}

type cacheAnswer struct {
	Hits   int64 `json:"hits"`
	Misses int64 `json:"misses"`
}

type answersAnswer struct {
	Entries int    `json:"entries"`
	Bytes   uint64 `json:"bytes"`
}

type tableAnswer struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	Files int    `json:"files"`
}

type systemProblem struct {
	What   string `json:"what"`
	Where  string `json:"where"`
	Detail string `json:"detail"`
}

type verifyAnswer struct {
	OK       bool            `json:"ok"`
	Problems []systemProblem `json:"problems"`
	TookMS   int64           `json:"took_ms"`
}

func (s *server) systemRoutes(api huma.API) {
	get(api, "system", "/system", "What runs here, what it holds and what needs care", s.system)
	post(api, "verify", "/system/verify", "Check the files, keys and roll-ups of the current snapshot, and the audit chain", s.verifyAll)
}

func (s *server) system(ctx context.Context, _ *none) (systemAnswer, error) {
	out := systemAnswer{Version: s.opt.Version, Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH, StartedAt: s.started.UTC().Truncate(time.Millisecond), Database: string(s.DB.Engine()),
		Jobs: map[string]int{}, Tables: []tableAnswer{}, Problems: []systemProblem{}}
	snapshots, err := s.Warehouse.Snapshots(ctx, s.scope(ctx))
	if err != nil {
		return out, err
	}
	out.Snapshots = len(snapshots)
	if len(snapshots) > 0 {
		out.Snapshot = snapshots[0].ID
	}
	tables, err := s.Warehouse.Tables(ctx, s.scope(ctx), out.Snapshot)
	if err != nil {
		return out, err
	}
	for _, t := range tables {
		if t.Rows > 0 {
			out.Tables = append(out.Tables, tableAnswer{t.Name, t.Rows, t.Bytes, t.Files})
		}
	}
	imports, err := s.Data.Imports(ctx, s.scope(ctx), 1, 0)
	if err != nil {
		return out, err
	}
	if len(imports) > 0 {
		out.LastImport = &imports[0].FinishedAt
	}
	problem := func(what, where, detail string) {
		out.Problems = append(out.Problems, systemProblem{what, where, detail})
	}
	if s.Jobs != nil {
		if out.Jobs, err = s.Jobs.Counts(ctx); err != nil {
			return out, err
		}
		if n := out.Jobs["discarded"]; n > 0 {
			problem("jobs", "discarded", fmt.Sprintf("%d jobs failed for good: the log says why", n))
		}
	}
	stats := s.Metrics.CacheStats()
	out.Cache = cacheAnswer{stats.Hits, stats.Misses}
	s.answers.CleanUp() // counts what is there, not what is on its way out
	out.Answers = answersAnswer{s.answers.EstimatedSize(), s.answers.WeightedSize()}
	if err := s.measure(&out.Storage); err != nil {
		problem("storage", "data directory", "it cannot be read to its end: check its owner and permissions")
		s.opt.Log.WarnContext(ctx, "measuring the data directory", "error", err)
	}
	if free := out.Storage.Free; free != nil && *free < lowSpace {
		problem("storage", "free space", fmt.Sprintf("%d MB are left on the disk: imports may fail below 1 GB", *free>>20))
	}
	return out, nil
}

// measure sets what lies on the disk. Files that go while it looks do not count.
func (s *server) measure(out *storageAnswer) error {
	if s.DatabaseFile != "" {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if info, err := os.Stat(s.DatabaseFile + suffix); err == nil {
				out.Database += info.Size()
			}
		}
	}
	if s.Dir == "" {
		return nil
	}
	if free, ok := freeBytes(s.Dir); ok {
		out.Free = &free
	}
	return filepath.WalkDir(filepath.Join(s.Dir, "warehouse"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".parquet") {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				out.Files++
				out.Bytes += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func (s *server) verifyAll(ctx context.Context, _ *none) (verifyAnswer, error) {
	out := verifyAnswer{Problems: []systemProblem{}}
	if s.Verify == nil {
		return out, fault.Newf(fault.Unavailable, "this server cannot verify its data: run moatmetrics verify")
	}
	if !s.verify.TryLock() {
		return out, fault.Newf(fault.Conflict, "the data is being verified: wait for that answer")
	}
	defer s.verify.Unlock()
	start := time.Now()
	found, err := s.Verify(ctx, s.scope(ctx))
	for _, p := range found {
		out.Problems = append(out.Problems, systemProblem(p))
	}
	out.OK, out.TookMS = len(found) == 0, time.Since(start).Milliseconds()
	return out, err
}
