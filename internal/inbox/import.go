package inbox

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/notice"
)

// importFetched ends the batches of an earlier run and imports what was fetched.
func (r *run) importFetched(ctx context.Context) error {
	for {
		files, err := r.openFiles(ctx)
		if err != nil {
			return err
		}
		if at := slices.IndexFunc(files, func(f File) bool { return f.Status == Importing }); at >= 0 {
			id := files[at].Batch
			files = slices.DeleteFunc(files, func(f File) bool { return f.Status != Importing || f.Batch != id })
			if err := r.resume(ctx, id, files); err != nil {
				return err
			}
			continue
		}
		set, err := r.nextSet(ctx, files)
		if err != nil || len(set) == 0 {
			return err
		}
		if err := r.importSet(ctx, set); err != nil {
			return err
		}
	}
}

// nextSet chooses what is imported as one. Of files that hold the same the first is: the
// others wait until it is known whether it could be imported.
func (r *run) nextSet(ctx context.Context, files []File) ([]File, error) {
	var set []File
	held := map[string]bool{}
	for _, f := range files {
		if f.Status != Fetched && f.Status != Released || len(set) == maxSet {
			continue
		}
		ready, err := r.ready(ctx, &f)
		if err != nil {
			return nil, err
		}
		if ready && !held[f.SHA256] {
			held[f.SHA256] = true
			set = append(set, f)
		}
	}
	return set, nil
}

// ready reports whether a file can be part of a set: its bytes are here and its content is
// new, unless a person released it.
func (r *run) ready(ctx context.Context, f *File) (bool, error) {
	if f.Status == Released {
		return r.refetch(ctx, f)
	}
	if u, err := r.data.UploadOf(ctx, r.scope, f.Upload); fault.KindOf(err) == fault.NotFound || err == nil && !u.Complete() {
		return r.refetch(ctx, f)
	} else if err != nil {
		return false, err
	}
	var n int64
	if err := r.db.Read(ctx, func(tx *metadb.Tx) error {
		return tx.One(ctx, queries.Get("same_content"), []any{string(r.scope.Tenant), r.src.ID, f.SHA256}, &n)
	}); err != nil || n == 0 {
		return err == nil, err
	}
	if err := r.data.Discard(ctx, r.scope, f.Upload); err != nil && fault.KindOf(err) != fault.NotFound {
		return false, err
	}
	r.result.Duplicates++
	return false, r.db.Transact(ctx, func(tx *metadb.Tx) error {
		return r.endFile(ctx, tx, *f, Duplicate, "the same content was imported before")
	})
}

// refetch makes sure that the bytes of a file are here; those of one that lay in quarantine
// for long are read from its source again.
func (r *run) refetch(ctx context.Context, f *File) (bool, error) {
	u, err := r.data.UploadOf(ctx, r.scope, f.Upload)
	if fault.KindOf(err) == fault.NotFound {
		var e Listing
		if e, err = r.place.stat(ctx, f.at()); err == nil {
			e.Path = f.Path
			u, err = r.download(ctx, f.at(), e)
		}
	}
	if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.Invalid || kind == fault.TooLarge {
		return false, r.db.Transact(ctx, func(tx *metadb.Tx) error {
			return r.endFile(ctx, tx, *f, Quarantined, fault.Message(err))
		})
	}
	if err != nil {
		return false, err
	}
	f.Upload, f.SHA256, f.Bytes = u.ID, u.SHA256, u.Bytes
	return true, nil
}

// importSet imports files as one batch and keeps what became of each.
func (r *run) importSet(ctx context.Context, set []File) error {
	req := dataset.BatchRequest{Together: r.src.AllOrNothing}
	for _, f := range set {
		m := r.src.mapping()
		if f.Mapping != nil {
			m = *f.Mapping
			m.Options.SourceSystem = cmp.Or(m.Options.SourceSystem, r.src.mapping().Options.SourceSystem)
		}
		req.Files = append(req.Files, dataset.BatchFile{Upload: f.Upload, TableChoice: dataset.TableChoice{Mapping: m}})
	}
	b, err := r.data.NewBatch(ctx, r.scope, req, func(tx *metadb.Tx, id string) error {
		for _, f := range set {
			if _, err := tx.Exec(ctx, queries.Get("refetch_file"), string(r.scope.Tenant), f.ID, f.Upload, f.Bytes, f.SHA256); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, queries.Get("batch_files"), string(r.scope.Tenant), f.ID, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.resume(ctx, b.ID, set)
}

// resume runs a batch unless it has ended, and keeps what became of its files.
func (r *run) resume(ctx context.Context, id string, files []File) error {
	failed := r.data.RunBatch(ctx, r.scope, id)
	b, err := r.data.BatchOf(context.WithoutCancel(ctx), r.scope, id)
	if err != nil {
		return err
	}
	if !b.Status.Ended() {
		if failed != nil && fault.KindOf(failed) != fault.Unavailable {
			return failed
		}
		return errElsewhere
	}
	ctx2 := context.WithoutCancel(ctx)
	if b.Status == dataset.BatchFailed || b.Status == dataset.BatchCanceled && ctx.Err() != nil {
		err := r.db.Transact(ctx2, func(tx *metadb.Tx) error {
			for _, f := range files {
				if _, err := tx.Exec(ctx2, queries.Get("refetch_file"), string(r.scope.Tenant), f.ID, f.Upload, f.Bytes, f.SHA256); err != nil {
					return err
				}
			}
			return nil
		})
		return cmp.Or(err, ctx.Err(), problemOf(b))
	}
	return r.db.Transact(ctx2, func(tx *metadb.Tx) error {
		for _, f := range files {
			if err := r.outcome(ctx2, tx, f, b); err != nil {
				return err
			}
		}
		return nil
	})
}

func problemOf(b dataset.Batch) error {
	if b.Problem == nil {
		return fault.Newf(fault.Unavailable, "the import did not end: it is tried again")
	}
	return fault.Newf(fault.Kind(b.Problem.Kind), "%s", b.Problem.Message)
}

// outcome keeps what became of a file in its batch.
func (r *run) outcome(ctx context.Context, tx *metadb.Tx, f File, b dataset.Batch) error {
	problem := ""
	var rejected, review int64
	if b.Status == dataset.BatchCanceled {
		problem = "a person stopped the import"
	}
	for _, t := range b.Tables {
		switch {
		case t.Upload != f.Upload:
		case t.Problem != nil && problem == "":
			problem = t.Problem.Message
			if t.Name != path.Base(f.Path) {
				problem = t.Name + ": " + problem
			}
			for _, w := range t.Problem.Fields {
				problem += "; " + w.Path + ": " + w.Message
			}
		case t.Result != nil:
			rejected += t.Result.RowsRejected
			review += t.Result.ToReview
		}
	}
	if problem != "" {
		return r.endFile(ctx, tx, f, Quarantined, problem)
	}
	if err := r.endFile(ctx, tx, f, Imported, ""); err != nil {
		return err
	}
	name := r.src.Name + ": " + f.Path
	if rejected > 0 {
		if err := r.notify(ctx, r.scope, tx, notice.RowsRejected, b.ID, fmt.Sprintf("%s: %d rows were not stored; see why and correct them", name, rejected)); err != nil {
			return err
		}
	}
	if review > 0 {
		return r.notify(ctx, r.scope, tx, notice.RowsForReview, b.ID, fmt.Sprintf("%s: %d names wait for a person to say what they mean", name, review))
	}
	return nil
}

// endFile keeps a file's fate; what is to be done at the source follows.
func (r *run) endFile(ctx context.Context, tx *metadb.Tx, f File, status FileStatus, problem string) error {
	switch status {
	case Imported:
		r.result.Imported++
	case Quarantined:
		r.result.Quarantined++
		if err := r.notify(ctx, r.scope, tx, notice.FileQuarantined, r.src.ID, fmt.Sprintf("%s: %s: %s", r.src.Name, f.Path, strings.TrimPrefix(problem, path.Base(f.Path)+": "))); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, queries.Get("end_file"), string(r.scope.Tenant), f.ID, string(status), metadb.Text(problem), metadb.Now(r.now()))
	return err
}

// settle does at the source what is to be done with files whose fate is committed.
func (r *run) settle(ctx context.Context) error {
	files, err := r.openFiles(ctx)
	if err != nil {
		return err
	}
	bundled, _ := r.place.(bundles)
	seen := map[string]bool{} // files that another of their bundle has settled
	for _, f := range files {
		if f.settled || seen[f.ID] || f.Status == Fetched || f.Status == Importing || f.Status == Released {
			continue
		}
		var set []File
		var err error
		if bundled != nil {
			set, err = r.settleBundle(ctx, bundled, f)
		} else {
			f.MovedTo, err = r.settleOne(ctx, f)
			set = []File{f}
		}
		if err != nil {
			return err
		}
		if err := r.db.Transact(ctx, func(tx *metadb.Tx) error {
			for _, one := range set {
				if _, err := tx.Exec(ctx, queries.Get("settle_file"), string(r.scope.Tenant), one.ID, one.MovedTo); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		for _, one := range set {
			seen[one.ID] = true
			r.opt.Log.InfoContext(ctx, "file of a source", slog.String("source", r.src.ID), slog.String("file", one.ID), slog.String("status", string(one.Status)))
		}
	}
	return nil
}

// settleOne moves or deletes a file and returns where it is then, "" for where it was. A
// file that is another by now is left alone.
func (r *run) settleOne(ctx context.Context, f File) (string, error) {
	good := f.Status == Imported || f.Status == Duplicate
	if r.src.After == Keep || r.src.After == Delete && !good {
		return f.MovedTo, nil
	}
	to := path.Join(quarantineFolder, f.ID+"-"+path.Base(f.Path))
	if good {
		to = path.Join(doneFolder, f.ID+"-"+path.Base(f.Path))
	}
	if f.at() == to {
		return to, nil
	}
	e, err := r.place.stat(ctx, f.at())
	if fault.KindOf(err) == fault.NotFound {
		// A run that was killed after the move, or somebody took the file away.
		if _, err := r.place.stat(ctx, to); err == nil {
			return to, nil
		}
		return f.MovedTo, nil
	}
	if err != nil || e.Mark != f.Mark || e.Skip != "" {
		return f.MovedTo, err
	}
	if r.src.After == Delete {
		return "", r.place.remove(ctx, f.at())
	}
	return to, r.place.move(ctx, f.at(), to)
}
