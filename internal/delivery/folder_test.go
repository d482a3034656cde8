package delivery_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/inbox/inboxtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		out = append(out, e.Name())
	}
	return out
}

func TestAFolderGetsWholeFilesAndLosesNone(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	x := newWorld(t, delivery.Options{Folders: []string{top}})
	dir := filepath.Join(top, "reports", "monthly") // is made
	d := x.add(t, delivery.Spec{Name: "share", Kind: delivery.Folder, Settings: delivery.Settings{Path: dir}})
	first := delivery.FileOf("June.pdf", "application/pdf", []byte("first"))
	r, err := x.Send(t.Context(), acme, d.ID, "", message("June", "", first))
	if err != nil || r.SHA256 != first.SHA256 || r.Place != filepath.Join(dir, "June.pdf") {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := x.Send(t.Context(), acme, d.ID, "", message("June", "", first)); err != nil { // again, as after a kill
		t.Fatal(err)
	}
	second := delivery.FileOf("June.pdf", "application/pdf", []byte("second"))
	if r, err = x.Send(t.Context(), acme, d.ID, "", message("June", "", second)); err != nil || r.Place != filepath.Join(dir, "June (2).pdf") {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = x.Send(t.Context(), acme, d.ID, "", message("a/b: c?", "only text")); err != nil || !strings.HasSuffix(r.Place, "a-b- c-.txt") {
		t.Errorf("%+v, %v", r, err)
	}
	if got, want := files(t, dir), []string{"June (2).pdf", "June.pdf", "a-b- c-.txt"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "June.pdf")); err != nil || string(text) != "first" {
		t.Errorf("%q, %v", text, err)
	}
	broken := first
	broken.Name, broken.Open = "broken.pdf", func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("fi")), nil }
	_, err = x.Send(t.Context(), acme, d.ID, "", message("June", "", broken))
	isKind(t, err, fault.Invalid)
	if got := files(t, dir); len(got) != 3 {
		t.Errorf("half a file is left: %q", got)
	}
	// One that was killed left its temporary file: the next attempt of the same delivery takes its place.
	if err := os.WriteFile(filepath.Join(dir, ".moat-m1-0.part"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	july := message("July", "", delivery.FileOf("July.pdf", "", []byte("x")))
	if _, err := x.Send(t.Context(), acme, d.ID, "", july); err != nil || slices.Contains(files(t, dir), ".moat-m1-0.part") {
		t.Errorf("%v, %q", err, files(t, dir))
	}
	// One that was killed between the two names of the file: it is there, and so is the temporary one.
	if err := os.Link(filepath.Join(dir, "July.pdf"), filepath.Join(dir, ".moat-m1-0.part")); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Send(t.Context(), acme, d.ID, "", july); err != nil || slices.Contains(files(t, dir), ".moat-m1-0.part") || slices.Contains(files(t, dir), "July (2).pdf") {
		t.Errorf("%v, %q", err, files(t, dir))
	}
}

func TestNothingIsWrittenOutsideTheFoldersThatAreAllowed(t *testing.T) {
	t.Parallel()
	top, outside, data := t.TempDir(), t.TempDir(), t.TempDir()
	x := newWorld(t, delivery.Options{Folders: []string{top, data}, DataDir: filepath.Join(data, "moat")})
	if err := os.MkdirAll(filepath.Join(data, "moat"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"another folder":     outside,
		"a way out":          top + "/../" + filepath.Base(outside),
		"a name that begins": top + "-other",
		"relative":           "reports",
		"the root":           "/",
		"the data":           filepath.Join(data, "moat", "warehouse"),
		"a line":             top + "/a\nb",
	} {
		_, err := x.Add(t.Context(), acme, delivery.Spec{Name: name, Kind: delivery.Folder, Settings: delivery.Settings{Path: dir}})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// A link that leads out, made after the destination.
	d := x.add(t, delivery.Spec{Name: "linked", Kind: delivery.Folder, Settings: delivery.Settings{Path: filepath.Join(top, "linked")}})
	if err := os.Symlink(outside, filepath.Join(top, "linked")); err != nil {
		t.Fatal(err)
	}
	_, err := x.Send(t.Context(), acme, d.ID, "", message("June", "text"))
	if err == nil || len(files(t, outside)) != 0 {
		t.Errorf("got %v, %q", err, files(t, outside))
	}
	// A link in place of the file, and of the temporary one, leads nowhere either.
	d = x.add(t, delivery.Spec{Name: "plain", Kind: delivery.Folder, Settings: delivery.Settings{Path: top}})
	target := filepath.Join(outside, "target.txt")
	for _, link := range []string{"June.txt", ".moat-m1-0.part"} {
		if err := os.Symlink(target, filepath.Join(top, link)); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := x.Send(t.Context(), acme, d.ID, "", message("June", "text")); err != nil || r.Place != filepath.Join(top, "June (2).txt") {
		t.Errorf("%+v, %v", r, err)
	}
	if len(files(t, outside)) != 0 {
		t.Errorf("written outside: %q", files(t, outside))
	}
	for _, name := range []string{"../up.pdf", "a/b.pdf", `a\b.pdf`, ".hidden", "", "..", "a\x00.pdf", "a\n.pdf", "x.", " x", strings.Repeat("x", 201), "June\u202efdp.exe", "June\u2028.pdf"} {
		if err := delivery.CheckName(name); err == nil {
			t.Errorf("%q is taken as a name", name)
		}
	}
	none := newWorld(t, delivery.Options{})
	_, err = none.Add(t.Context(), acme, delivery.Spec{Name: "x", Kind: delivery.Folder, Settings: delivery.Settings{Path: top}})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.FieldsOf(err)[0].Message, "delivery_folders") {
		t.Errorf("got %v", err)
	}
}

func TestABucketGetsObjectsWithTheirHash(t *testing.T) {
	t.Parallel()
	s := inboxtest.StartS3(t, "reports", true)
	x := newWorld(t, trusting(s.Roots))
	spec := delivery.Spec{Name: "archive", Kind: delivery.S3, Password: secret.NewText(inboxtest.Password), Settings: delivery.Settings{Endpoint: s.URL, Bucket: "reports", User: inboxtest.User, Path: "/2026/"}}
	d := x.add(t, spec)
	first := delivery.FileOf("June.pdf", "application/pdf", bytes.Repeat([]byte("x"), 100_000))
	var hashes []string
	s.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut {
			hashes = append(hashes, r.Header.Get("X-Amz-Content-Sha256")+" "+r.Header.Get("X-Amz-Meta-Moat-Sha256"))
		}
		next.ServeHTTP(w, r)
	})
	for range 2 { // the second time it is there already
		if r, err := x.Send(t.Context(), acme, d.ID, "", message("June", "", first)); err != nil || r.Place != "reports/2026/June.pdf" || r.SHA256 != first.SHA256 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	second := delivery.FileOf("June.pdf", "application/pdf", []byte("other"))
	if r, err := x.Send(t.Context(), acme, d.ID, "", message("June", "", second)); err != nil || r.Place != "reports/2026/June (2).pdf" {
		t.Fatalf("%+v, %v", r, err)
	}
	if got, want := s.Keys(t), []string{"2026/June (2).pdf", "2026/June.pdf"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{first.SHA256 + " " + first.SHA256, second.SHA256 + " " + second.SHA256}; !slices.Equal(hashes, want) {
		t.Errorf("hashes %q, want %q", hashes, want)
	}
	spec.Name, spec.Settings.User = "stranger", "nobody"
	d = x.add(t, spec)
	_, err := x.Send(t.Context(), acme, d.ID, "", message("June", "", first))
	isKind(t, err, fault.Forbidden)
	spec.Name, spec.Settings.User, spec.Settings.Path = "up", inboxtest.User, "../x"
	_, err = x.Add(t.Context(), acme, spec)
	isKind(t, err, fault.Invalid)
}
