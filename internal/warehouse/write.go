package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/google/uuid"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// ownFileRows is how many rows a month needs for a file of its own; smaller months of a
// year share one, so that small imports stay cheap.
const ownFileRows = 50_000

// rowGroupRows is half the engine's own size: every thread gets its share of a month.
const rowGroupRows = 61_440

// leaseFor is how long a file that is not in the catalog yet is safe from the sweep.
const leaseFor = time.Hour

// Parts of tables without months, and of rows without a date.
const (
	partAll     = "all"
	partUndated = "undated"
)

// monthRows counts the rows of a SELECT by month; a null month has the zero Day.
func (s *Session) monthRows(ctx context.Context, sel, month string) (map[quantity.Day]int64, error) {
	counts := map[quantity.Day]int64{}
	err := s.Each(ctx, fmt.Sprintf("SELECT date_trunc('month', %s)::DATE, count(*) FROM (%s) GROUP BY 1", QuoteIdent(month), sel), func(row []any) error {
		var m quantity.Day
		if t, ok := row[0].(time.Time); ok {
			m = quantity.DayOf(t)
		}
		counts[m] = row[1].(int64)
		return nil
	})
	return counts, err
}

func monthPart(m quantity.Day) string { return m.String()[:7] }
func yearPart(m quantity.Day) string  { return m.String()[:4] }

// writeTable writes the rows of a SELECT, which yields the table's columns in order, as
// the files of parts and returns them with statistics. Dated rows go to their month's own
// file when the month has enough rows, otherwise to the year's. months are those of the rows.
func (s *Session) writeTable(ctx context.Context, t Table, sel string) (files []dataFile, months []quantity.Day, err error) {
	parts, partExpr := []string{partAll}, QuoteText(partAll)
	var own []quantity.Day
	if t.Month != "" {
		counts, err := s.monthRows(ctx, sel, t.Month)
		if err != nil || len(counts) == 0 {
			return nil, nil, err
		}
		for m := range counts {
			if !m.IsZero() {
				months = append(months, m)
			}
		}
		parts, own, partExpr = partsFor(t, counts)
	}
	write := func(part, rows, ext, options string) error {
		out := filepath.Join(s.dir, s.table("out")) + ext
		return s.Each(ctx, copyTo(t, rows, out, options), func(row []any) error {
			f, err := fileFromStats(t, row)
			if f.part == "" {
				f.part = part
			}
			if f.rows > 0 {
				files = append(files, f)
			}
			return err
		})
	}
	if len(parts) <= fewParts {
		for _, part := range parts {
			rows := sel
			if len(parts) > 1 {
				rows = fmt.Sprintf("SELECT * FROM (%s) WHERE %s", sel, inPart(t, part, own))
			}
			if err := write(part, rows, ".parquet", ""); err != nil {
				return nil, nil, err
			}
		}
	} else if err := write("", fmt.Sprintf("SELECT *, %s AS __part FROM (%s)", partExpr, sel), "", ", PARTITION_BY (__part), FILENAME_PATTERN '{uuid}'"); err != nil {
		return nil, nil, err
	}
	for i := range files {
		if err := s.publish(ctx, t, &files[i]); err != nil {
			return nil, nil, err
		}
	}
	return files, monthsOf(months), nil
}

// writeFile writes the rows of a SELECT, which yields the table's columns in order, as one
// file of a part. The file is returned beside an error as soon as it exists.
func (s *Session) writeFile(ctx context.Context, t Table, part, sel string) (dataFile, error) {
	var f dataFile
	out := filepath.Join(s.dir, s.table("out")) + ".parquet"
	err := s.Each(ctx, copyTo(t, sel, out, ""), func(row []any) (err error) {
		f, err = fileFromStats(t, row)
		f.part = part
		return err
	})
	if err != nil {
		return dataFile{}, err
	}
	return f, s.publish(ctx, t, &f)
}

// copyTo is the statement that writes the rows of a SELECT and yields their statistics.
func copyTo(t Table, sel, out, options string) string {
	return fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE %d, FIELD_IDS {%s}, RETURN_STATS true%s)", sel, QuoteText(out), rowGroupRows, fieldIDs(t), options)
}

// fewParts is up to how many parts a statement each is faster than the engine's way of
// writing all in one.
const fewParts = 4

// partsFor returns the parts of a dated table's rows, which are counted by month, the
// months with a part of their own, and the SQL of a row's part.
func partsFor(t Table, counts map[quantity.Day]int64) (parts []string, own []quantity.Day, sql string) {
	for m, n := range counts {
		switch {
		case m.IsZero():
			parts = append(parts, partUndated)
		case n >= ownFileRows:
			own = append(own, m)
			parts = append(parts, monthPart(m))
		default:
			parts = append(parts, yearPart(m))
		}
	}
	slices.Sort(parts)
	month := fmt.Sprintf("date_trunc('month', %s)", QuoteIdent(t.Month))
	sql = fmt.Sprintf("coalesce(strftime(%s, '%%Y'), %s)", month, QuoteText(partUndated))
	if len(own) > 0 {
		sql = fmt.Sprintf("CASE WHEN %s IN (%s) THEN strftime(%s, '%%Y-%%m') ELSE %s END", month, dayList(own), month, sql)
	}
	return slices.Compact(parts), own, sql
}

// inPart is the condition that a row of a dated table belongs to a part.
func inPart(t Table, part string, own []quantity.Day) string {
	day := QuoteIdent(t.Month)
	if part == partUndated {
		return day + " IS NULL"
	}
	from, err := quantity.ParseDay(part)
	if err != nil {
		panic("warehouse: part " + part) // made by partsFor
	}
	to := from.AddMonths(12)
	if len(part) > len("2006") {
		to = from.AddMonths(1)
	}
	cond := fmt.Sprintf("%[1]s >= DATE %[2]s AND %[1]s < DATE %[3]s", day, QuoteText(from.String()), QuoteText(to.String()))
	for _, m := range own {
		if len(part) == len("2006") && !m.Before(from) && m.Before(to) {
			cond += fmt.Sprintf(" AND NOT (%[1]s >= DATE %[2]s AND %[1]s < DATE %[3]s)", day, QuoteText(m.String()), QuoteText(m.AddMonths(1).String()))
		}
	}
	return cond
}

func fieldIDs(t Table) string {
	ids := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		ids[i] = QuoteIdent(c.Name) + ": " + strconv.Itoa(c.ID)
	}
	return strings.Join(ids, ", ")
}

// fileFromStats reads one row of COPY's RETURN_STATS: filename, count, file_size_bytes,
// footer_size_bytes, column_statistics, partition_keys.
func fileFromStats(t Table, row []any) (dataFile, error) {
	f := dataFile{path: row[0].(string)}
	for i, dest := range []*int64{&f.rows, &f.bytes, &f.footer} {
		n, err := strconv.ParseInt(fmt.Sprint(row[i+1]), 10, 64)
		if err != nil {
			return f, fmt.Errorf("file statistics: %w", err)
		}
		*dest = n
	}
	if part, ok := strings.CutPrefix(filepath.Base(filepath.Dir(f.path)), "__part="); ok {
		f.part = part
	}
	byColumn, ok := row[4].(duckdb.OrderedMap)
	if !ok {
		return f, fmt.Errorf("file statistics: unexpected %T", row[4])
	}
	for _, c := range t.Columns {
		v, ok := byColumn.Get(c.Name)
		if !ok {
			v, ok = byColumn.Get(QuoteIdent(c.Name)) // the engine quotes reserved words
		}
		stats, isMap := v.(duckdb.OrderedMap)
		if !ok || !isMap {
			continue
		}
		cs := columnStats{column: c.ID}
		text := func(key string) *string {
			if v, ok := stats.Get(key); ok && v != nil {
				s := fmt.Sprint(v)
				return &s
			}
			return nil
		}
		number := func(key string) int64 {
			if s := text(key); s != nil {
				n, _ := strconv.ParseInt(*s, 10, 64)
				return n
			}
			return 0
		}
		cs.bytes, cs.values, cs.nulls = number("column_size_bytes"), number("num_values"), number("null_count")
		cs.min, cs.max = text("min"), text("max")
		if c.Type == "BOOLEAN" {
			cs.min, cs.max = zeroOne(cs.min), zeroOne(cs.max)
		}
		if c.Name == t.Month && cs.min != nil && cs.max != nil {
			var err error
			if f.from, err = quantity.ParseDay(*cs.min); err != nil {
				return f, err
			}
			if f.to, err = quantity.ParseDay(*cs.max); err != nil {
				return f, err
			}
		}
		f.stats = append(f.stats, cs)
	}
	return f, nil
}

func zeroOne(s *string) *string {
	if s == nil {
		return nil
	}
	v := "0"
	if *s == "true" || *s == "1" {
		v = "1"
	}
	return &v
}

// publish makes a written file durable at its final place: lease row, fsync, rename,
// fsync of the folder. The catalog does not know it yet; a crash now leaves an orphan
// that the sweep deletes after its lease.
func (s *Session) publish(ctx context.Context, t Table, f *dataFile) error {
	f.rel = f.part + "/" + uuid.NewString() + ".parquet"
	final := filepath.Join(s.w.tableDir(s.scope, t.Name), filepath.FromSlash(f.rel))
	if err := s.w.lease(ctx, s.scope, final); err != nil {
		return err
	}
	if err := makeDirs(filepath.Dir(final)); err != nil {
		return diskFault(err)
	}
	sum, err := syncFile(f.path)
	if err != nil {
		return diskFault(err)
	}
	f.sha256, f.definition = sum, s.w.definitions[t.Name]
	if err := os.Rename(f.path, final); err != nil {
		return diskFault(err)
	}
	if err := syncDir(filepath.Dir(final)); err != nil {
		return diskFault(err)
	}
	f.path = final
	return nil
}

func (w *Warehouse) lease(ctx context.Context, scope tenant.Scope, path string) error {
	rel, err := filepath.Rel(w.dir, path)
	if err != nil {
		return err
	}
	now := w.now()
	err = w.db.Transact(ctx, func(tx *metadb.Tx) error {
		_, err := tx.Exec(ctx, queries.Get("lease_file"), filepath.ToSlash(rel), string(scope.Tenant), metadb.Now(now.Add(leaseFor)), metadb.Now(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("pending file: %w", err)
	}
	return nil
}

// makeDirs creates dir and makes the new entries durable in their parents.
func makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := makeDirs(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	return syncDir(parent)
}

// syncFile flushes a file to the disk and returns the SHA-256 of what it holds.
func syncFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), f.Close()
}

// hashFile returns the SHA-256 of a file's content.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
