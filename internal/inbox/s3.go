package inbox

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"
	keys "github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// markKey is the user metadata under which a moved object keeps the mark that it had: a
// copy can have another ETag than its original, with encryption or when it came in parts.
const markKey = "Moat-Mark"

// maxCopy is the most bytes that S3 copies in one request.
const maxCopy = 5 << 30

// bucket is what lies directly under a prefix of an S3 bucket.
type bucket struct {
	client *minio.Core
	name   string
	prefix string // "" or ends in a slash
}

// bucketName is what all stores agree on. It also keeps the name from being read as part of
// another host's.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkS3 completes settings and complains about what is wrong with them.
func checkS3(set *Settings, bad complain) {
	if set.Endpoint != "" && !strings.Contains(set.Endpoint, "://") {
		set.Endpoint = "https://" + set.Endpoint
	}
	u, err := url.Parse(set.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		bad("settings.endpoint", "must be the store's address and nothing more, such as https://s3.eu-central-1.amazonaws.com")
	case checkHost(u.Hostname()) != nil:
		bad("settings.endpoint", fault.Message(checkHost(u.Hostname())))
	default:
		set.Endpoint = u.Scheme + "://" + u.Host
	}
	if !bucketName.MatchString(set.Bucket) || strings.Contains(set.Bucket, "..") {
		bad("settings.bucket", "must be the bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens")
	}
	if set.User == "" {
		bad("settings.user", "must be the access key's id")
	}
	set.Path = strings.Trim(set.Path, "/")
}

// dialS3 connects to a bucket. Only the key that was given is used: no other of the
// environment, of files, or of the machine.
func dialS3(ctx context.Context, set Settings, cred credentials, roots *x509.CertPool) (place, error) {
	u, err := url.Parse(set.Endpoint)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "%s is no address", set.Endpoint)
	}
	if cred.password.IsZero() {
		return nil, fault.Newf(fault.Forbidden, "%s needs the secret of the access key: give it as the password", set.Endpoint)
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := connect(ctx, address)
		if err != nil {
			return nil, err
		}
		return &bounded{Conn: conn, wait: stepTime, awaiting: true}, nil
	}
	transport.ResponseHeaderTimeout = stepTime
	if transport.TLSClientConfig != nil && roots != nil {
		transport.TLSClientConfig.RootCAs = roots
	}
	b := &bucket{name: set.Bucket, prefix: set.Path}
	if b.prefix != "" {
		b.prefix += "/"
	}
	region := set.Region
	if region == "" {
		region = "us-east-1" // otherwise the store would be asked, which few keys may
	}
	// The client follows no redirect.
	b.client, err = minio.NewCore(u.Host, &minio.Options{
		Creds: keys.NewStaticV4(set.User, cred.password.Reveal(), ""), Secure: u.Scheme == "https", Transport: transport,
		Region: region, MaxRetries: 2, // a run is tried again anyway
	})
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "%s cannot be used as an address", set.Endpoint)
	}
	// A key may lack the right to this; then the listing says what is wrong.
	if there, err := b.client.BucketExists(ctx, b.name); err == nil && !there {
		return nil, b.fault(minio.ErrorResponse{Code: minio.NoSuchBucket}, b.name)
	}
	return b, nil
}

func (b *bucket) list(ctx context.Context) ([]Listing, error) {
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

func (b *bucket) stat(ctx context.Context, name string) (Listing, error) {
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

func (b *bucket) open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	in, o, _, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.fault(err, name)
	}
	return in, o.Size, nil
}

// move copies an object, then deletes it. When a run is killed between the two, the next
// one finds its own copy and goes on with that.
func (b *bucket) move(ctx context.Context, from, to string) error {
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
func (b *bucket) delete(ctx context.Context, name string, was minio.ObjectInfo) error {
	now, err := b.client.StatObject(ctx, b.name, b.prefix+name, minio.StatObjectOptions{})
	if err != nil {
		return b.fault(err, name)
	}
	if now.ETag != was.ETag || now.Size != was.Size {
		return nil // another file by now, which the next run takes
	}
	return b.remove(ctx, name)
}

func (b *bucket) remove(ctx context.Context, name string) error {
	return b.fault(b.client.RemoveObject(ctx, b.name, b.prefix+name, minio.RemoveObjectOptions{}), name)
}

func (b *bucket) Close() error { return nil }

// fault gives an error of the store its kind.
func (b *bucket) fault(err error, name string) error {
	if err == nil {
		return nil
	}
	if kind := fault.KindOf(err); kind == fault.Forbidden || kind == fault.Unavailable { // of the connection
		return err
	}
	var untrusted x509.UnknownAuthorityError
	var named x509.HostnameError
	if errors.As(err, &untrusted) || errors.As(err, &named) {
		return fault.Wrapf(fault.Forbidden, err, "the store's certificate is not to be trusted: check the endpoint, or add who issued it to the system's certificates")
	}
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchBucket:
		return fault.Wrapf(fault.NotFound, err, "there is no bucket %s: check its name and the endpoint", b.name)
	case minio.NoSuchKey, "NoSuchVersion", "MethodNotAllowed": // the last: a delete marker
		return fault.Wrapf(fault.NotFound, err, "%s is not in the bucket any more", name)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fault.Wrapf(fault.Forbidden, err, "the store refuses the access key: check its id and its secret")
	case minio.AccessDenied, "AllAccessDisabled", "AccountProblem":
		return fault.Wrapf(fault.Forbidden, err, "the access key may not read or change %s: give it the right to", name)
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "301 Moved Permanently", "307 Temporary Redirect":
		return fault.Wrapf(fault.Invalid, err, "the bucket %s is elsewhere: check the region and the endpoint", b.name)
	case "RequestTimeTooSkewed":
		return fault.Wrapf(fault.Forbidden, err, "the store refuses the request as this machine's clock is wrong: set it")
	case minio.PreconditionFailed:
		return fault.Wrapf(fault.Unavailable, err, "%s was replaced meanwhile: it is looked at again", name)
	}
	return fault.Wrapf(fault.Unavailable, err, "the store did not answer for %s: it is tried again", name)
}
