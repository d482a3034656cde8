package dataset_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
)

func TestATemplateAsAWorkbookIsRecognizedWithAllItsColumns(t *testing.T) {
	t.Parallel()
	for _, name := range dataset.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			book, err := dataset.TemplateXLSX(name)
			if err != nil {
				t.Fatal(err)
			}
			text, err := dataset.Template(name)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			stored := map[string][]string{}
			for form, body := range map[string][]byte{"csv": text, "xlsx": book} {
				x := newWorld(t)
				r := x.load(t, name+"."+form, string(body), dataset.ImportRequest{})
				want(t, form+": dataset", r.Dataset, name)
				want(t, form+": examples", codes(r)["template_example"], int64(2))
				want(t, form+": rows", fmt.Sprint(r.RowsRead, r.RowsRejected), "2 0")
				want(t, form+": columns", len(r.Columns), len(rows[0]))
				for _, c := range r.Columns {
					if c.Field == nil || *c.Field != c.Source || c.Confidence < 0.9 {
						t.Errorf("%s: column %+v", form, c)
					}
				}
				d, _ := dataset.Find(name)
				for _, f := range d.Fields {
					if f.Column == f.Name && !f.Private {
						stored[form] = append(stored[form], x.rows(t, fmt.Sprintf("SELECT %q::VARCHAR FROM %s ORDER BY record", f.Column, name), name)...)
					}
				}
			}
			want(t, "stored from the workbook", stored["xlsx"], stored["csv"])
		})
	}
}

func TestAWorkbookTemplateOffersValuesAndSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	text, err := dataset.TemplateXLSX("agreements")
	if err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want(t, "sheets", f.GetSheetList(), []string{"Agreements", "Notes"})
	rules, err := f.GetDataValidations("Agreements")
	if err != nil {
		t.Fatal(err)
	}
	lists := ""
	for _, r := range rules {
		lists += r.Formula1
	}
	want(t, "lists", lists, `"fixed_fee,block_hours,retainer,t_and_m,fixed_price,per_ticket,subscription""active,cancelled,expired"`)
	notes, err := f.GetComments("Agreements")
	if err != nil || len(notes) == 0 {
		t.Fatalf("got %d notes, %v", len(notes), err)
	}
}

func TestExampleRowsOfATemplateAreLeftOutByOneFix(t *testing.T) {
	t.Parallel()
	x := newWorld(t)
	text, err := dataset.Template("clients")
	if err != nil {
		t.Fatal(err)
	}
	file := string(text) + strings.Replace(strings.Split(string(text), "\n")[1], "Harbor Dental Group", "Quay Bakery", 1) + "\n"
	r := x.load(t, "clients.csv", file, dataset.ImportRequest{DryRun: true})
	after := x.fixed(t, "clients.csv", file, dataset.Mapping{}, fix(t, r, "template_example", "Leave the examples out").Patch)
	want(t, "told again", codes(after)["template_example"], int64(0))
	want(t, "stored", x.rows(t, "SELECT client_key FROM clients", "clients"), []string{"Quay Bakery"})
}
