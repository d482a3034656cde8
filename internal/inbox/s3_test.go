package inbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func startBucket(t *testing.T) (*world, *inboxtest.S3) {
	t.Helper()
	x, s := newWorld(t), inboxtest.StartS3(t, "exports", true)
	x.trust(s.Roots)
	return x, s
}

func TestABucketOfMoreThanOnePageIsListedWhole(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	for i := range 1001 { // a page holds 1,000
		s.Put(t, fmt.Sprintf("psa/%04d.csv", i), "x")
	}
	s.Put(t, "psa/", "") // what consoles write for a folder
	s.Put(t, "psa/older/clients.csv", clients)
	s.Put(t, "psablast/clients.csv", clients)
	s.Put(t, "clients.csv", clients)
	src := x.add(t, s3Spec(s))
	list, err := x.Test(t.Context(), acme, src.ID)
	if err != nil || len(list) != 1001 || list[1000].Path != "1000.csv" {
		t.Errorf("got %d files, %v, want 1001", len(list), err)
	}
}

func TestAWholeBucketCanBeASource(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	spec := s3Spec(s)
	spec.Settings.Path, spec.After = "", inbox.Move
	src := x.add(t, spec)
	s.Put(t, "clients & more (ä+1).csv", clients)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"done/clients & more (ä+1).csv"}, s3Left(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsOfAStoreAreTold(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	s.Put(t, "psa/clients.csv", clients)
	src := x.add(t, s3Spec(s))
	refuse := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>made up</Message></Error>", code)
		}
	}
	for name, c := range map[string]struct {
		change func(*inbox.Spec)
		first  http.HandlerFunc
		kind   fault.Kind
		says   string
	}{
		"unknown key":    {change: func(s *inbox.Spec) { s.Settings.User, s.Password = "berta", secret.NewText("b") }, kind: fault.Forbidden, says: "access key"},
		"wrong secret":   {first: refuse(403, "SignatureDoesNotMatch"), kind: fault.Forbidden, says: "secret"},
		"missing right":  {first: refuse(403, "AccessDenied"), kind: fault.Forbidden, says: "give it the right"},
		"missing bucket": {change: func(s *inbox.Spec) { s.Settings.Bucket = "nothing-there" }, kind: fault.NotFound, says: "nothing-there"},
		"other region":   {first: refuse(400, "AuthorizationHeaderMalformed"), kind: fault.Invalid, says: "region"},
		"wrong clock":    {first: refuse(403, "RequestTimeTooSkewed"), kind: fault.Forbidden, says: "clock"},
		"out of order":   {first: refuse(503, "SlowDown"), kind: fault.Unavailable, says: "tried again"},
		"no S3":          {first: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Welcome") }, kind: fault.Unavailable, says: "tried again"},
	} {
		spec := s3Spec(s)
		if c.change != nil {
			c.change(&spec)
		}
		if _, err := x.Change(t.Context(), acme, src.ID, spec); err != nil {
			t.Fatal(name, err)
		}
		s.First(c.first)
		if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != c.kind || !strings.Contains(fault.Message(err), c.says) {
			t.Errorf("%s: got %s %v", name, fault.KindOf(err), err)
		}
		s.First(nil)
	}
	if _, err := x.Change(t.Context(), acme, src.ID, s3Spec(s)); err != nil {
		t.Fatal(err)
	}
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
		t.Errorf("when all is right: got %+v, want %+v", got, want)
	}
}

func TestAStoreWithAForeignCertificateIsNotTrusted(t *testing.T) {
	t.Parallel()
	x, s := newWorld(t), inboxtest.StartS3(t, "exports", true)
	src := x.add(t, s3Spec(s))
	if _, err := x.Test(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestADownloadThatIsCutOffIsTriedAgain(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	s.Put(t, "psa/clients.csv", clients+strings.Repeat("Cedar,Retail,active,3000\n", 20000))
	src := x.add(t, s3Spec(s))
	s.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "clients.csv") {
			w = &cutWriter{w, 100_000}
		}
		next.ServeHTTP(w, r)
	})
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if got := x.fates(t, src.ID); len(got) != 0 {
		t.Errorf("got %v, want no file taken", got)
	}
	s.Between(nil)
	if got, want := x.run(t, src.ID), (inbox.RunResult{Listed: 1, Imported: 1}); got != want {
		t.Errorf("after the cut: got %+v, want %+v", got, want)
	}
}

// cutWriter ends the connection after a number of bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(b)
}

func TestAMoveThatWasCutOffBetweenCopyAndDeletionIsGoneOnWith(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	spec := s3Spec(s)
	spec.After = inbox.Move
	src := x.add(t, spec)
	s.Put(t, "psa/clients.csv", clients)
	s.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodDelete {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"clients.csv", "done/clients.csv"}, s3Left(t, s)); diff != "" {
		t.Error(diff)
	}
	s.Between(nil)
	x.run(t, src.ID)
	if diff := cmp.Diff([]string{"done/clients.csv"}, s3Left(t, s)); diff != "" {
		t.Error(diff)
	}
	if n := x.imports(t); n != 1 {
		t.Errorf("got %d imports, want 1", n)
	}
}

func TestAnObjectThatIsReplacedWhileItIsMovedStays(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	spec := s3Spec(s)
	spec.After = inbox.Move
	src := x.add(t, spec)
	s.Put(t, "psa/clients.csv", clients)
	var once atomic.Bool
	s.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		if r.Header.Get("X-Amz-Copy-Source") != "" && once.CompareAndSwap(false, true) {
			s.Put(t, "psa/clients.csv", clients+"Cedar,Retail,active,3000\n") // the copy's answer comes after
		}
	})
	x.run(t, src.ID)
	x.run(t, src.ID)
	if diff := cmp.Diff([]string{"done/clients.csv", "done/clients.csv"}, s3Left(t, s)); diff != "" || x.imports(t) != 2 {
		t.Error(diff, x.imports(t))
	}
}

func TestAStoreCannotSendTheKeyElsewhere(t *testing.T) {
	t.Parallel()
	x, s := startBucket(t)
	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	s.First(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	src := x.add(t, s3Spec(s))
	if _, err := x.Run(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the other server was asked %d times", n)
	}
}

// Not parallel: it sets the environment.
func TestKeysOfTheEnvironmentAreNotUsed(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "MINIO_ACCESS_KEY", "MINIO_ROOT_USER"} {
		t.Setenv(name, inboxtest.User)
	}
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "MINIO_SECRET_KEY", "MINIO_ROOT_PASSWORD"} {
		t.Setenv(name, inboxtest.Password)
	}
	x, s := startBucket(t)
	spec := s3Spec(s)
	spec.Password = secret.Text{}
	src := x.add(t, spec)
	asked := len(s.Asked())
	if _, err := x.Test(t.Context(), acme, src.ID); fault.KindOf(err) != fault.Forbidden || len(s.Asked()) != asked {
		t.Errorf("got %v and %v", err, s.Asked()[asked:])
	}
}

func TestSettingsOfABucketAreCheckedAndCompleted(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	good := inbox.Settings{Endpoint: "s3.example.com", Bucket: "exports", User: "k", Path: "/psa/2026/"}
	src := x.add(t, inbox.Spec{Name: "good", Kind: inbox.S3, Settings: good})
	if src.Settings.Endpoint != "https://s3.example.com" || src.Settings.Path != "psa/2026" {
		t.Errorf("got %+v", src.Settings)
	}
	for name, c := range map[string]struct {
		change func(*inbox.Settings)
		path   string
	}{
		"no endpoint":         {func(s *inbox.Settings) { s.Endpoint = "" }, "settings.endpoint"},
		"a path":              {func(s *inbox.Settings) { s.Endpoint = "https://s3.example.com/exports" }, "settings.endpoint"},
		"a user":              {func(s *inbox.Settings) { s.Endpoint = "https://k:s@s3.example.com" }, "settings.endpoint"},
		"a file":              {func(s *inbox.Settings) { s.Endpoint = "file:///etc" }, "settings.endpoint"},
		"the metadata server": {func(s *inbox.Settings) { s.Endpoint = "http://169.254.169.254" }, "settings.endpoint"},
		"the same, IPv6":      {func(s *inbox.Settings) { s.Endpoint = "http://[fd00:ec2::254]" }, "settings.endpoint"},
		"another host":        {func(s *inbox.Settings) { s.Bucket = "evil.example.com/x" }, "settings.bucket"},
		"no key":              {func(s *inbox.Settings) { s.User = "" }, "settings.user"},
	} {
		set := good
		c.change(&set)
		_, err := x.Add(t.Context(), acme, inbox.Spec{Name: name, Kind: inbox.S3, Settings: set})
		if wrong := fault.FieldsOf(err); len(wrong) != 1 || wrong[0].Path != c.path {
			t.Errorf("%s: got %v %v", name, err, wrong)
		}
	}
}
