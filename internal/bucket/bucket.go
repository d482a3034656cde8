// Package bucket connects to the buckets of S3-compatible stores with a key that a person
// gave, and says what such a store answers in words that lead on.
//
// It owns the form of addresses and bucket names, the connection and the meaning of errors.
// It does not own what is fetched (inbox) or put there (delivery).
package bucket

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// Place is where a bucket is and who asks.
type Place struct {
	Endpoint string // https://s3.eu-central-1.amazonaws.com
	Region   string // "" is us-east-1
	Bucket   string
	KeyID    string      // the access key's id
	Secret   secret.Text // the access key's secret
}

// nameForm is what all stores agree on. It also keeps the name from being read as part of
// another host's.
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// Check completes a place and lists what is wrong with it, by the names of the fields in JSON:
// endpoint, bucket, user.
func Check(p *Place, guard reach.Guard) []fault.Field {
	var wrong []fault.Field
	bad := func(path, message string) { wrong = append(wrong, fault.Field{Path: path, Message: message}) }
	if p.Endpoint != "" && !strings.Contains(p.Endpoint, "://") {
		p.Endpoint = "https://" + p.Endpoint
	}
	u, err := url.Parse(p.Endpoint)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		bad("endpoint", "must be the store's address and nothing more, such as https://s3.eu-central-1.amazonaws.com")
	case guard.CheckHost(u.Hostname()) != nil:
		bad("endpoint", fault.Message(guard.CheckHost(u.Hostname())))
	default:
		p.Endpoint = u.Scheme + "://" + u.Host
	}
	if !nameForm.MatchString(p.Bucket) || strings.Contains(p.Bucket, "..") {
		bad("bucket", "must be the bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens")
	}
	if p.KeyID == "" {
		bad("user", "must be the access key's id")
	}
	return wrong
}

// Open connects to a bucket. Only the key that was given is used: no other of the
// environment, of files, or of the machine. Nil roots are those of the system. The client
// follows no redirect and tries twice: what uses it is tried again anyway.
func Open(ctx context.Context, p Place, guard reach.Guard, roots *x509.CertPool) (*minio.Core, error) {
	u, err := url.Parse(p.Endpoint)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "%s is no address", p.Endpoint)
	}
	if p.Secret.IsZero() {
		return nil, fault.Newf(fault.Forbidden, "%s needs the secret of the access key: give it as the password", p.Endpoint)
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	transport.Proxy = nil // one of the environment would connect for us, past the guard
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		conn, err := guard.Connect(ctx, address)
		if err != nil {
			return nil, err
		}
		bound := reach.Bound(conn, reach.StepTime)
		bound.Busy()
		return bound, nil
	}
	transport.ResponseHeaderTimeout = reach.StepTime
	if transport.TLSClientConfig != nil && roots != nil {
		transport.TLSClientConfig.RootCAs = roots
	}
	region := p.Region
	if region == "" {
		region = "us-east-1" // otherwise the store would be asked, which few keys may
	}
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(p.KeyID, p.Secret.Reveal(), ""), Secure: u.Scheme == "https", Transport: transport, Region: region, MaxRetries: 2,
	})
	if err != nil {
		return nil, fault.Wrapf(fault.Invalid, err, "%s cannot be used as an address", p.Endpoint)
	}
	// A key may lack the right to this; then the next request says what is wrong.
	if there, err := client.BucketExists(ctx, p.Bucket); err == nil && !there {
		return nil, Fault(minio.ErrorResponse{Code: minio.NoSuchBucket}, p.Bucket, p.Bucket)
	}
	return client, nil
}

// Fault gives an error of a store about an object of a bucket its kind. Unavailable: trying
// again may help; others need a person.
func Fault(err error, bucket, object string) error {
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
		return fault.Wrapf(fault.NotFound, err, "there is no bucket %s: check its name and the endpoint", bucket)
	case minio.NoSuchKey, "NoSuchVersion", "MethodNotAllowed": // the last: a delete marker
		return fault.Wrapf(fault.NotFound, err, "%s is not in the bucket any more", object)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fault.Wrapf(fault.Forbidden, err, "the store refuses the access key: check its id and its secret")
	case minio.AccessDenied, "AllAccessDisabled", "AccountProblem":
		return fault.Wrapf(fault.Forbidden, err, "the access key may not read or change %s: give it the right to", object)
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "301 Moved Permanently", "307 Temporary Redirect":
		return fault.Wrapf(fault.Invalid, err, "the bucket %s is elsewhere: check the region and the endpoint", bucket)
	case "RequestTimeTooSkewed":
		return fault.Wrapf(fault.Forbidden, err, "the store refuses the request as this machine's clock is wrong: set it")
	case minio.PreconditionFailed:
		return fault.Wrapf(fault.Unavailable, err, "%s was replaced meanwhile: it is looked at again", object)
	}
	return fault.Wrapf(fault.Unavailable, err, "the store did not answer for %s: it is tried again", object)
}
