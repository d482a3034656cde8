// Package inboxtest starts the servers that sources are tested against, in this process.
package inboxtest

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// What the servers of this package let in.
const (
	User     = "anna"
	Password = "correct-horse-battery"
)

// S3 is an S3 server that keeps one bucket in memory. It knows one access key: User and
// Password; only the id is checked.
type S3 struct {
	*httptest.Server
	Roots *x509.CertPool // trusts its certificate

	bucket string
	client *minio.Client

	mu      sync.Mutex
	first   http.HandlerFunc
	between func(http.ResponseWriter, *http.Request, http.Handler)
	asked   []string
}

// StartS3 starts a server with an empty bucket; with secure it speaks TLS.
func StartS3(t testing.TB, bucket string, secure bool) *S3 {
	t.Helper()
	s := &S3{bucket: bucket}
	store := gofakes3.New(s3mem.New()).Server()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		first, between := s.first, s.between
		s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
		s.mu.Unlock()
		switch {
		case first != nil:
			first(w, r)
		case !strings.Contains(r.Header.Get("Authorization"), "Credential="+User+"/"):
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>InvalidAccessKeyId</Code><Message>unknown</Message></Error>`)
		case between != nil:
			between(w, r, store)
		default:
			store.ServeHTTP(w, r)
		}
	})
	if secure {
		s.Server = httptest.NewTLSServer(handler)
		s.Roots = x509.NewCertPool()
		s.Roots.AddCert(s.Certificate())
	} else {
		s.Server = httptest.NewServer(handler)
	}
	t.Cleanup(s.Close)
	var err error
	s.client, err = minio.New(s.Listener.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(User, Password, ""), Region: "us-east-1", Secure: secure, Transport: s.Client().Transport})
	if err == nil {
		err = s.client.MakeBucket(context.Background(), bucket, minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// First lets a handler answer every request; nil ends that.
func (s *S3) First(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = h
}

// Between lets a function pass on every request; nil ends that.
func (s *S3) Between(f func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.between = f
}

// Asked returns the requests so far, such as GET /bucket/key.
func (s *S3) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Put writes an object.
func (s *S3) Put(t testing.TB, key, text string) {
	t.Helper()
	if _, err := s.client.PutObject(context.Background(), s.bucket, key, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Keys lists all objects.
func (s *S3) Keys(t testing.TB) []string {
	t.Helper()
	out := []string{}
	for o := range s.client.ListObjects(context.Background(), s.bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		out = append(out, o.Key)
	}
	return out
}
