package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/web"
)

// policy is the content security policy of every answer. The one hash allows the fixed
// rule that react-aria adds on iOS while a dialog is open; a test of the web app compares
// it with the installed package.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-gYiS/BvZvRcK27JIXTuwhZ3hs2+VJ1X+2gUlE+farlg='; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default"

// asset is a file of the web app, ready to be sent.
type asset struct {
	plain     []byte
	zipped    func() []byte // made when it is first asked for; nil for what is compressed already
	mime, tag string
}

// assets are the web app's files by path, read once.
func assets() map[string]asset {
	out := map[string]asset{}
	files := web.Files()
	var names []string
	whole := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		names = append(names, name)
		fmt.Fprintf(whole, "%s %x\n", name, sha256.Sum256(text))
		out["/"+name] = newAsset(name, text)
		return nil
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	if sw, ok := out["/sw.js"]; ok {
		// Browsers compare a worker's bytes to see whether it is new: the list makes it so.
		list, _ := json.Marshal(map[string]any{"version": hex.EncodeToString(whole.Sum(nil)[:8]), "files": precached(names)})
		out["/sw.js"] = newAsset("sw.js", append(fmt.Appendf(nil, "self.__MM=%s;\n", list), sw.plain...))
	}
	return out
}

func newAsset(name string, text []byte) asset {
	sum := sha256.Sum256(text)
	a := asset{plain: text, mime: mime.TypeByExtension(path.Ext(name)), tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	switch path.Ext(name) {
	case ".webmanifest":
		a.mime = "application/manifest+json"
	case ".woff2":
		a.mime = "font/woff2"
	}
	if !slices.Contains([]string{".woff2", ".png"}, path.Ext(name)) {
		a.zipped = sync.OnceValue(func() []byte {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			z.Write(text)
			z.Close()
			return b.Bytes()
		})
	}
	return a
}

// precached returns what the app needs without a network: everything but the fonts of
// other scripts, which load when a text needs them.
func precached(names []string) []string {
	out := []string{"/"}
	for _, n := range names {
		font := path.Ext(n) == ".woff2" && !strings.Contains(n, "latin-wght")
		if n != "sw.js" && n != "index.html" && !font && path.Ext(n) != ".txt" {
			out = append(out, "/"+n)
		}
	}
	return out
}

// app serves the web app: its files, and its page for every address that is not a file,
// since the app itself reads the address.
func (s *server) app(mux *http.ServeMux) {
	files := assets()
	mux.HandleFunc("GET /api/docs", s.docs)
	mux.HandleFunc("GET /api/docs.css", func(w http.ResponseWriter, r *http.Request) {
		text, _ := pageFiles.ReadFile("pages/docs.css")
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(text)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path
		file, ok := files[name]
		switch {
		case ok && name != "/index.html":
		case r.Method != http.MethodGet && r.Method != http.MethodHead, strings.HasPrefix(name, "/api/"), strings.HasPrefix(name, "/assets/"),
			path.Ext(name) != "" && strings.LastIndexByte(name, '/') == 0 && name != "/index.html": // deeper down a dot is part of a client's name
			writeProblem(w, problemOf(fault.Newf(fault.NotFound, "there is no page %s", name)))
			return
		default:
			file, name = files["/index.html"], "/"
		}
		file.serve(w, r, strings.HasPrefix(name, "/assets/"))
	})
}

// serve sends the file; the names of those under /assets/ change with their content.
func (a asset) serve(w http.ResponseWriter, r *http.Request, forever bool) {
	h := w.Header()
	h.Set("Content-Type", a.mime)
	h.Set("ETag", a.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), a.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := a.plain
	if a.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		text = a.zipped()
	}
	h.Set("Content-Length", fmt.Sprint(len(text)))
	if r.Method != http.MethodHead {
		w.Write(text)
	}
}

// The reference page of the API: no script, one style sheet.
//
//go:embed pages
var pageFiles embed.FS

var pageTemplates = template.Must(template.New("").Funcs(template.FuncMap{"method": strings.ToUpper}).ParseFS(pageFiles, "pages/*.html"))

type operation struct {
	Method, Path, Summary, Description string
	Parameters                         any
}

func (s *server) docs(w http.ResponseWriter, r *http.Request) {
	text, err := OpenAPI(s.opt.Version)
	if err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Summary     string `json:"summary"`
			Description string `json:"description"`
			Parameters  []struct {
				Name        string `json:"name"`
				In          string `json:"in"`
				Description string `json:"description"`
			} `json:"parameters"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	var ops []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			ops = append(ops, operation{method, path, op.Summary, op.Description, op.Parameters})
		}
	}
	slices.SortFunc(ops, func(a, b operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	var b bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&b, "docs.html", map[string]any{"Operations": ops, "Version": s.opt.Version}); err != nil {
		writeProblem(w, problemOf(err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}
