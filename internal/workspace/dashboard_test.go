package workspace_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/workspace"
)

// tile is a valid tile with more fields.
func tile(more string) string {
	return `{"id":"a","x":0,"y":0,"w":3,"h":2,"kind":"kpi"` + more + `}`
}

func tiles(list ...string) string { return `{"tiles":[` + strings.Join(list, ",") + `]}` }

func TestEveryWrongPartOfADashboardIsNamed(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"id":"t%d","x":0,"y":%d,"w":12,"h":1,"kind":"note"}`, i, i))
		}
		return tiles(list...)
	}
	cases := []struct {
		name, content string
		paths         []string // none: valid
	}{
		{"an empty one", `{}`, nil},
		{"no object", `[]`, []string{"content"}},
		{"null", `null`, []string{"content"}},
		{"broken", `{"tiles":`, []string{"content"}},
		{"a full tile", `{"period":"2026-01..2026-06","where":"x","tiles":[` + tile(`,"title":"T","measures":["revenue"],"by":["client"],"where":"y","period":"all","order":["-revenue"],"limit":10,"text":"t"`) + `]}`, nil},
		{"an unknown field", `{"tile":[]}`, []string{"tile"}},
		{"another case of a field", `{"Tiles":[]}`, []string{"Tiles"}},
		{"an unknown field of a tile", tiles(tile(`,"colour":"red"`)), []string{"tiles[0].colour"}},
		{"an unknown period", `{"period":"last99"}`, []string{"period"}},
		{"a month that is none", `{"period":"2026-13..2026-14"}`, []string{"period"}},
		{"a period that ends before it begins", `{"period":"2026-05..2026-04"}`, []string{"period"}},
		{"days where months belong", `{"period":"2026-01-01..2026-02-01"}`, []string{"period"}},
		{"one month", `{"period":"2026-05..2026-05"}`, nil},
		{"60 tiles", many(60), nil},
		{"61 tiles", many(61), []string{"tiles"}},
		{"the same id twice", tiles(tile(""), tile("")), []string{"tiles[1].id"}},
		{"an id with a space", `{"tiles":[{"id":"a b","x":0,"y":0,"w":1,"h":1,"kind":"kpi"}]}`, []string{"tiles[0].id"}},
		{"beyond the right edge", `{"tiles":[{"id":"a","x":10,"y":0,"w":3,"h":1,"kind":"kpi"}]}`, []string{"tiles[0].w"}},
		{"at every edge", `{"tiles":[{"id":"a","x":11,"y":500,"w":1,"h":40,"kind":"kpi"}]}`, nil},
		{"outside on all sides", `{"tiles":[{"id":"a","x":-1,"y":501,"w":0,"h":41,"kind":"pie"}]}`, []string{"tiles[0].x", "tiles[0].y", "tiles[0].w", "tiles[0].h", "tiles[0].kind"}},
		{"wrong types", `{"tiles":[{"id":1,"x":"0","y":0.5,"w":1,"h":1,"kind":"kpi","measures":"revenue"},7]}`, []string{"tiles[0].id", "tiles[0].measures", "tiles[0].x", "tiles[0].y", "tiles[1]"}},
		{"faults of several tiles", tiles(tile(""), `{"id":"b","x":0,"y":0,"w":13,"h":2,"kind":"kpi"}`, `{"id":"c","x":0,"y":0,"w":3,"h":2,"kind":"kpi","limit":-1}`), []string{"tiles[1].w", "tiles[2].limit"}},
		{"six measures", tiles(tile(`,"measures":["a","b","c","d","e","f"]`)), nil},
		{"seven measures", tiles(tile(`,"measures":["a","b","c","d","e","f","g"]`)), []string{"tiles[0].measures"}},
		{"a measure that is no name, one twice", tiles(tile(`,"measures":["a","drop table","a"]`)), []string{"tiles[0].measures[1]", "tiles[0].measures[2]"}},
		{"4,000 characters", tiles(tile(`,"text":"` + strings.Repeat("ä", 4000) + `"`)), nil},
		{"4,001 characters", tiles(tile(`,"text":"` + strings.Repeat("ä", 4001) + `"`)), []string{"tiles[0].text"}},
		{"a long title and condition", `{"where":"` + strings.Repeat("a", 2001) + `","tiles":[` + tile(`,"title":"`+strings.Repeat("a", 121)+`"`) + `]}`, []string{"where", "tiles[0].title"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := workspace.DecodeDashboard(json.RawMessage(c.content))
			var got []string
			for _, f := range fault.FieldsOf(err) {
				got = append(got, f.Path)
			}
			if diff := cmp.Diff(c.paths, got); diff != "" || (err == nil) != (c.paths == nil) {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestALargeDashboardIsRefusedWithAFewFaults(t *testing.T) {
	t.Parallel()
	_, err := workspace.DecodeDashboard(json.RawMessage(`{"where":"` + strings.Repeat("a", 256<<10) + `"}`))
	if fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v", err)
	}
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `"f%d":1,`, i)
	}
	if _, err := workspace.DecodeDashboard(json.RawMessage(`{` + b.String() + `"g":1}`)); len(fault.FieldsOf(err)) != 100 {
		t.Errorf("got %d faults, want 100", len(fault.FieldsOf(err)))
	}
}

func FuzzDecodeDashboard(f *testing.F) {
	for _, t := range workspace.Templates() {
		text, err := json.Marshal(t.Content)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"tiles":[{"id":"a","x":10,"w":3,"h":1e9,"kind":"kpi","measures":[null]},null]}`))
	f.Add([]byte(`{"tiles":null,"period":null,"where":"\u0000<&>\ud800"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := workspace.DecodeDashboard(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.TooLarge {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, tile := range d.Tiles {
			if tile.X < 0 || tile.W < 1 || tile.X+tile.W > 12 || tile.H < 1 || tile.Y < 0 {
				t.Errorf("%q: tile %+v", text, tile)
			}
		}
		kept, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(kept) > 256<<10 {
			return // escapes made it longer
		}
		again, err := workspace.DecodeDashboard(kept)
		if err != nil {
			t.Fatalf("%s is not read again: %v %v", kept, err, fault.FieldsOf(err))
		}
		if twice, _ := json.Marshal(again); string(twice) != string(kept) {
			t.Errorf("got %s, want %s", twice, kept)
		}
	})
}

func TestTemplatesAreValidAndTileWithoutOverlap(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, tpl := range workspace.Templates() {
		keys = append(keys, tpl.Key)
		text, err := json.Marshal(tpl.Content)
		if err != nil {
			t.Fatal(err)
		}
		got, err := workspace.DecodeDashboard(text)
		if err != nil {
			t.Errorf("%s: %v %v", tpl.Key, err, fault.FieldsOf(err))
		}
		if diff := cmp.Diff(tpl.Content, got); diff != "" {
			t.Errorf("%s: %s", tpl.Key, diff)
		}
		taken, height := map[[2]int]string{}, 0
		for _, tile := range tpl.Content.Tiles {
			height = max(height, tile.Y+tile.H)
			for x := tile.X; x < tile.X+tile.W; x++ {
				for y := tile.Y; y < tile.Y+tile.H; y++ {
					if by, ok := taken[[2]int{x, y}]; ok {
						t.Errorf("%s: %s lies on %s at %d, %d", tpl.Key, tile.ID, by, x, y)
					}
					taken[[2]int{x, y}] = tile.ID
				}
			}
		}
		if len(taken) != 12*height {
			t.Errorf("%s: %d of %d cells are covered", tpl.Key, len(taken), 12*height)
		}
		if tpl.Label == "" || tpl.Description == "" || strings.Contains(tpl.Description, "\n") {
			t.Errorf("%s: label %q, description %q", tpl.Key, tpl.Label, tpl.Description)
		}
	}
	if diff := cmp.Diff([]string{"owner", "service", "finance"}, keys); diff != "" {
		t.Error(diff)
	}
	if _, err := workspace.TemplateOf("nonsense"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an unknown template: %v", err)
	}
}

func ExampleDecodeDashboard() {
	_, err := workspace.DecodeDashboard(json.RawMessage(`{"tiles":[{"id":"a","x":8,"y":0,"w":6,"h":2,"kind":"pie"}]}`))
	for _, f := range fault.FieldsOf(err) {
		fmt.Println(f.Path, f.Message)
	}
	// Output:
	// tiles[0].w ends at column 14: the grid has 12
	// tiles[0].kind is not a kind of tile
}
