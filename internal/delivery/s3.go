package delivery

import (
	"context"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/moatmetrics/moatmetrics/internal/bucket"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// sumKey is the user metadata under which an object tells the hash of its content.
const sumKey = "Moat-Sha256"

// maxObject is the most bytes that S3 takes in one request.
const maxObject = 5 << 30

// putBucket puts the files of a message into a bucket. The store is told the hash of each and
// refuses what comes otherwise.
func (s *Service) putBucket(ctx context.Context, set Settings, key secret.Text, m Message) (Receipt, error) {
	client, err := bucket.Open(ctx, set.place(key), s.guard(), s.opt.Roots)
	if err != nil {
		return Receipt{}, err
	}
	files := m.files()
	var places []string
	for _, f := range files {
		object, err := putObject(ctx, client, set, f)
		if err != nil {
			return Receipt{}, err
		}
		places = append(places, set.Bucket+"/"+object)
	}
	return Receipt{SHA256: sumOf(files), Place: strings.Join(places, ", ")}, nil
}

// putObject puts a file under its name, or the next one that is free, and returns its key.
func putObject(ctx context.Context, client *minio.Core, set Settings, f File) (string, error) {
	if f.Bytes > maxObject {
		return "", fault.Newf(fault.TooLarge, "%s has more than the 5 GB that a bucket takes at once", f.Name)
	}
	for n := 1; n <= maxNames; n++ {
		object := path.Join(set.Path, numbered(f.Name, n))
		there, err := client.StatObject(ctx, set.Bucket, object, minio.StatObjectOptions{})
		if err == nil && there.Size == f.Bytes && there.UserMetadata[sumKey] == f.SHA256 {
			return object, nil // put before this process knew
		}
		if err == nil {
			continue // another's
		}
		err = bucket.Fault(err, set.Bucket, object)
		// A key that may only write cannot look: then the store is asked not to overwrite, below.
		if kind := fault.KindOf(err); kind != fault.NotFound && kind != fault.Forbidden {
			return "", err
		}
		in, oerr := f.Open()
		if oerr != nil {
			return "", oerr
		}
		options := minio.PutObjectOptions{ContentType: f.Type, UserMetadata: map[string]string{sumKey: f.SHA256}}
		options.SetMatchETagExcept("*") // only where nothing is
		_, err = client.PutObject(ctx, set.Bucket, object, bounded{ctx, in}, f.Bytes, "", f.SHA256, options)
		in.Close()
		switch code := minio.ToErrorResponse(err).Code; {
		case err == nil:
			return object, nil
		case code == minio.PreconditionFailed:
			continue // taken meanwhile
		case code == "XAmzContentSHA256Mismatch" || code == "BadDigest" || code == "IncompleteBody":
			return "", errChanged(f)
		}
		return "", bucket.Fault(err, set.Bucket, object)
	}
	return "", fault.Newf(fault.Conflict, "%s and %d numbered names are taken: move some of the objects elsewhere", f.Name, maxNames-1)
}
