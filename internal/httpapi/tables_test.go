package httpapi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func TestTheWebAppOffersEveryTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "web", "src", "lib", "tables.ts"))
	if err != nil {
		t.Fatal(err)
	}
	var offered []string
	for _, m := range regexp.MustCompile(`'([a-z_]+)'`).FindAllSubmatch(text, -1) {
		offered = append(offered, string(m[1]))
	}
	for _, name := range dataset.Names() {
		if !slices.Contains(offered, name) {
			t.Errorf("%s is in no list of the web app: a file of it cannot be said to be one", name)
		}
	}
	for _, name := range offered {
		if _, ok := dataset.Find(name); !ok {
			t.Errorf("the web app offers %s, which is no dataset", name)
		}
	}
}
