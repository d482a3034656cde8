package inbox

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// bundles is a place whose files lie together in what can only be moved or deleted as one:
// the attachments of an e-mail. move and remove of one of them are of all. The first element
// of a file's path names its bundle.
type bundles interface {
	// siblings lists the files of the bundle of a file, with the paths that they had when they
	// were listed first; a NotFound fault when the bundle is gone.
	siblings(ctx context.Context, name string) ([]Listing, error)
}

// settleBundle does at the source what is to be done with the bundle of a file. It returns
// the files that are settled by that, with where they are then: none while the fate of one
// of them is open.
func (r *run) settleBundle(ctx context.Context, place bundles, f File) ([]File, error) {
	if r.src.After == Keep {
		return []File{f}, nil
	}
	bundle, _, _ := strings.Cut(f.Path, "/")
	files, err := r.files(ctx, "bundle_files", string(r.scope.Tenant), r.src.ID, bundle+"/")
	if err != nil {
		return nil, err
	}
	folder := doneFolder
	for _, one := range files {
		switch one.Status {
		case Fetched, Importing, Released:
			return nil, nil
		case Quarantined:
			folder = quarantineFolder
		case Dismissed:
			if r.src.After == Delete {
				return []File{f}, nil // nobody said that it may be deleted
			}
		}
	}
	if r.src.After == Delete && folder == quarantineFolder {
		return []File{f}, nil
	}
	at, to := f.at(), path.Join(folder, f.Path)
	there := func() []File {
		for i := range files {
			files[i].MovedTo = path.Join(folder, files[i].Path)
		}
		return files
	}
	if at == to {
		return there(), nil
	}
	list, err := place.siblings(ctx, at)
	if fault.KindOf(err) == fault.NotFound {
		// A run that was killed after the move, or somebody took the bundle away.
		_, err := place.siblings(ctx, to)
		switch {
		case err == nil:
			return there(), nil
		case fault.KindOf(err) == fault.NotFound:
			return files, nil
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	// What no run has taken yet must be before the bundle goes.
	for _, e := range list {
		taken := slices.ContainsFunc(files, func(one File) bool { return one.Path == e.Path && one.Mark == e.Mark })
		if f.MovedTo == "" && e.Skip == "" && skip(e.Path, r.src.Settings.Pattern) == "" && !taken {
			return nil, nil
		}
	}
	if r.src.After == Delete {
		return files, r.place.remove(ctx, at)
	}
	if err := r.place.move(ctx, at, to); err != nil {
		return nil, err
	}
	return there(), nil
}
