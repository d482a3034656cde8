package inbox

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/moatmetrics/moatmetrics/internal/bucket"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// markKey is the user metadata under which a moved object keeps the mark that it had: a
// copy can have another ETag than its original, with encryption or when it came in parts.
const markKey = "Moat-Mark"

// maxCopy is the most bytes that S3 copies in one request.
const maxCopy = 5 << 30

// objects are what lies directly under a prefix of an S3 bucket.
type objects struct {
	client *minio.Core
	name   string
	prefix string // "" or ends in a slash
}

// checkS3 completes settings and complains about what is wrong with them.
func checkS3(set *Settings, near reach.Guard, bad complain) {
	at := set.bucket(secret.Text{})
	for _, wrong := range bucket.Check(&at, near) {
		bad("settings."+wrong.Path, wrong.Message)
	}
	set.Endpoint = at.Endpoint
	set.Path = strings.Trim(set.Path, "/")
}

// bucket is where the settings of S3 lead to.
func (s Settings) bucket(key secret.Text) bucket.Place {
	return bucket.Place{Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, KeyID: s.User, Secret: key}
}

// dialS3 connects to a bucket.
func dialS3(ctx context.Context, near reach.Guard, set Settings, cred credentials, roots *x509.CertPool) (place, error) {
	client, err := bucket.Open(ctx, set.bucket(cred.password), near, roots)
	if err != nil {
		return nil, err
	}
	o := &objects{client: client, name: set.Bucket, prefix: set.Path}
	if o.prefix != "" {
		o.prefix += "/"
	}
	return o, nil
}

func (b *objects) list(ctx context.Context) ([]Listing, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out []Listing
	for o := range b.client.Client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix}) {
		if o.Err != nil {
			return nil, b.fault(o.Err, "bucket "+b.name)
		}
		name, under := strings.CutPrefix(o.Key, b.prefix)
		if !under || name == "" || strings.Contains(name, "/") {
			continue // what stands for a folder
		}
		out = append(out, Listing{Path: name, Bytes: o.Size, Mark: objectMark(o)})
	}
	return out, nil
}

func objectMark(o minio.ObjectInfo) string { return fmt.Sprintf("%d-%s", o.Size, o.ETag) }

func (b *objects) stat(ctx context.Context, name string) (Listing, error) {
	o, err := b.client.StatObject(ctx, b.name, b.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return Listing{}, b.fault(err, name)
	}
	e := Listing{Path: name, Bytes: o.Size, Mark: objectMark(o)}
	if was := o.UserMetadata[markKey]; was != "" && strings.Contains(name, "/") {
		e.Mark = was
	}
	return e, nil
}

func (b *objects) open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	in, o, _, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.fault(err, name)
	}
	return in, o.Size, nil
}

// move copies an object, then deletes it. When a run is killed between the two, the next
// one finds its own copy and goes on with that.
func (b *objects) move(ctx context.Context, from, to string) error {
	was, err := b.client.StatObject(ctx, b.name, b.prefix+from, minio.StatObjectOptions{})
	if err != nil {
		return b.fault(err, from)
	}
	mark := objectMark(was)
	if kept := was.UserMetadata[markKey]; kept != "" && strings.Contains(from, "/") {
		mark = kept
	}
	there, err := b.client.StatObject(ctx, b.name, b.prefix+to, minio.StatObjectOptions{})
	switch {
	case err == nil && there.UserMetadata[markKey] == mark && there.Size == was.Size:
		return b.delete(ctx, from, was)
	case err == nil:
		return fault.Newf(fault.Conflict, "%s is there already: move it elsewhere", to)
	case fault.KindOf(b.fault(err, to)) != fault.NotFound:
		return b.fault(err, to)
	}
	meta := map[string]string{markKey: mark}
	for k, v := range was.UserMetadata {
		if k != markKey {
			meta[k] = v
		}
	}
	target := minio.CopyDestOptions{Bucket: b.name, Object: b.prefix + to, UserMetadata: meta, ReplaceMetadata: true, ContentType: was.ContentType}
	source := minio.CopySrcOptions{Bucket: b.name, Object: b.prefix + from, MatchETag: was.ETag}
	if was.Size > maxCopy {
		_, err = b.client.ComposeObject(ctx, target, source)
	} else {
		_, err = b.client.Client.CopyObject(ctx, target, source)
	}
	if err != nil {
		return b.fault(err, from)
	}
	return b.delete(ctx, from, was)
}

// delete deletes an object if it still is what it was: S3 has no way to say so in the
// request that every store knows.
func (b *objects) delete(ctx context.Context, name string, was minio.ObjectInfo) error {
	now, err := b.client.StatObject(ctx, b.name, b.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return b.fault(err, name)
	}
	if now.ETag != was.ETag || now.Size != was.Size {
		return nil // another file by now, which the next run takes
	}
	return b.remove(ctx, name)
}

func (b *objects) remove(ctx context.Context, name string) error {
	return b.fault(b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{}), name)
}

func (b *objects) Close() error { return nil }

// fault gives an error of the store its kind.
func (b *objects) fault(err error, name string) error { return bucket.Fault(err, b.name, name) }
