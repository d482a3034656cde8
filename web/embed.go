// Package web holds the browser app's built files; its TypeScript sources lie in src.
//
// `make build` fills dist/app. Without it the Go program still builds, and says so in
// place of the app.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built files: index.html, boot.js, sw.js, assets/…; without a build,
// only an index.html that says how to make one.
func Files() fs.FS {
	for _, dir := range []string{"dist/app", "dist/placeholder"} {
		if sub, err := fs.Sub(dist, dir); err == nil {
			if _, err := fs.Stat(sub, "index.html"); err == nil {
				return sub
			}
		}
	}
	return dist // never: the placeholder is committed
}
