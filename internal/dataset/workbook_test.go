package dataset

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// bookOf is a workbook made by hand: a sheet "Data" and what else parts say, which may
// replace any part.
func bookOf(t testing.TB, parts map[string]string) string {
	t.Helper()
	all := map[string]string{
		"[Content_Types].xml":        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels":                `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
	}
	for name, text := range parts {
		all[name] = text
	}
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for name, text := range all {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func worksheet(body string) string {
	return `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + body + `</worksheet>`
}

// written is a workbook whose sheet1 holds the rows.
func written(t *testing.T, rows [][]any, more func(f *excelize.File)) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if more != nil {
		more(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var timeRows = [][]any{{"staff_name", "client_name", "date", "hours"}, {"Dana", "Harbor", "2026-03-04", 1.5}, {"Dana", "", "2026-03-05", 2}, {"Dana", "", "2026-03-06", "#REF!"}, {"Dana", "Quay", "2026-03-07", 3}}

func TestMergedCellsStandForEachOfTheirRows(t *testing.T) {
	t.Parallel()
	tab, rows, err := openText(t, "time.xlsx", written(t, timeRows, func(f *excelize.File) {
		f.MergeCell("Sheet1", "B2", "B4")
		f.SetRowVisible("Sheet1", 5, false)
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"Dana", "Harbor", "2026-03-04", "1.5"}, {"Dana", "Harbor", "2026-03-05", "2"}, {"Dana", "Harbor", "2026-03-06", ""}, {"Dana", "Quay", "2026-03-07", "3"}}
	if d := cmp.Diff(want, rows); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if s := tab.Sheet; s.filledIn != 2 || s.errors.N != 1 || s.errors.First[0] != 4 || s.scan.hidden != 1 {
		t.Errorf("got %d cells filled, errors %+v, %d hidden rows", s.filledIn, s.errors, s.scan.hidden)
	}
}

func TestTheSheetThatSaysMostIsReadAndOthersAreNamed(t *testing.T) {
	t.Parallel()
	book := func(f *excelize.File) {
		for _, name := range []string{"April", "Hidden", "Notes"} {
			f.NewSheet(name)
			for i, row := range timeRows[:2] {
				if name != "Notes" {
					f.SetSheetRow(name, fmt.Sprintf("A%d", i+1), &row)
				}
			}
		}
		f.SetCellStr("Notes", "A1", "client_name and hours are needed")
		f.SetSheetVisible("Hidden", false)
	}
	tab, _, err := openText(t, "time.xlsx", written(t, timeRows, book))
	if err != nil {
		t.Fatal(err)
	}
	if tab.Dialect.Sheet != "Sheet1" || !slices.Equal(tab.Sheet.others, []string{"April"}) {
		t.Errorf("got sheet %s, others %q", tab.Dialect.Sheet, tab.Sheet.others)
	}
	for _, name := range []string{"April", "Hidden"} {
		tab, rows, err := openTextWith(t, "time.xlsx", strings.NewReader(written(t, timeRows, book)), Mapping{Options: MappingOptions{Sheet: name}})
		if err != nil || tab.Dialect.Sheet != name || len(rows) != 1 || len(tab.Sheet.others) != 0 {
			t.Errorf("%s: got %d rows, %v", name, len(rows), err)
		}
	}
	if _, _, err := openTextWith(t, "time.xlsx", strings.NewReader(written(t, timeRows, book)), Mapping{Options: MappingOptions{Sheet: "May"}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want an invalid fault", err)
	}
}

const head = `<row r="1"><c r="A1" t="inlineStr"><is><t>client_name</t></is></c><c r="B1" t="inlineStr"><is><t>hours</t></is></c></row>`

func TestCellsOfWorkbooksAreReadAsTheyAreStored(t *testing.T) {
	t.Parallel()
	styles := `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="9"/></cellXfs></styleSheet>`
	rels := `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`
	old := `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="1"/><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`
	for _, c := range []struct{ name, book, cell, want string }{
		{"the value that a formula had", "", `<c r="B2"><f>1+1</f><v>2</v></c>`, "2"},
		{"a formula's text", "", `<c r="B2" t="str"><f>A1</f><v>two</v></c>`, "two"},
		{"a formula's error", "", `<c r="B2" t="e"><f>A1/0</f><v>#DIV/0!</v></c>`, ""},
		{"a number stored as text keeps its zeros", "", `<c r="B2" t="inlineStr"><is><t>00700</t></is></c>`, "00700"},
		{"a number keeps its digits", "", `<c r="B2"><v>0.1</v></c>`, "0.1"},
		{"a date since 1900", "", `<c r="B2" s="1"><v>45889</v></c>`, "2025-08-20"},
		{"a date since 1904", old, `<c r="B2" s="1"><v>44427</v></c>`, "2025-08-20"},
		{"a percentage is a fraction", "", `<c r="B2" s="2"><v>0.45</v></c>`, "0.45"},
		{"yes", "", `<c r="B2" t="b"><v>1</v></c>`, "TRUE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			parts := map[string]string{"xl/styles.xml": styles, "xl/_rels/workbook.xml.rels": rels,
				"xl/worksheets/sheet1.xml": worksheet(`<sheetData>` + head + `<row r="2"><c r="A2" t="inlineStr"><is><t>Harbor</t></is></c>` + c.cell + `</row></sheetData>`)}
			if c.book != "" {
				parts["xl/workbook.xml"] = c.book
			}
			for _, name := range []string{"x.xlsx", "x.xlsm"} {
				_, rows, err := openText(t, name, bookOf(t, parts))
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff([][]string{{"Harbor", c.want}}, rows); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
		})
	}
}

func TestADamagedSheetIsRefusedNotCutShort(t *testing.T) {
	t.Parallel()
	row := `<row r="2"><c r="A2" t="inlineStr"><is><t>Harbor</t></is></c><c r="B2"><v>1</v></c></row>`
	for _, c := range []struct{ name, body string }{
		{"the end is missing", `<sheetData>` + head + row},
		{"damaged in the middle", `<sheetData>` + head + row + `<row r="3"><c r="A3"></v></row>` + strings.ReplaceAll(row, "2", "4") + `</sheetData>`},
		{"more rows than a sheet has", `<sheetData>` + head + row + `<row r="1048577"><c r="A1048577"><v>1</v></c></row></sheetData>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, rows, err := openText(t, "x.xlsx", bookOf(t, map[string]string{"xl/worksheets/sheet1.xml": worksheet(c.body)}))
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("got %q and %v, want an invalid fault", rows, err)
			}
		})
	}
}

// member is a file of an archive made by hand.
type member struct {
	name, text string
	mode       fs.FileMode
	flags      uint16
}

func archive(t *testing.T, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Flags: m.flags}
		h.SetMode(m.mode | 0o600)
		w, err := zw.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.text)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestArchivesThatAreNoneOfTablesAreRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	csv := "client_name,hours\nHarbor,1\n"
	inner := archive(t, member{name: "a.csv", text: csv})
	large := strings.Repeat("0", 20<<20)
	var many, sheets []member
	for i := range 1001 {
		many = append(many, member{name: fmt.Sprintf("%d.csv", i), text: csv})
	}
	sheets = append(sheets, member{name: "xl/workbook.xml"})
	for i := range 251 {
		sheets = append(sheets, member{name: fmt.Sprintf("xl/worksheets/sheet%d.xml", i)})
	}
	for _, c := range []struct {
		name, file, says string
		kind             fault.Kind
	}{
		{"a name that goes up", archive(t, member{name: "../../etc/cron.d/a.csv", text: csv}), "leads out of the archive", fault.Invalid},
		{"a name that goes up with backslashes", archive(t, member{name: `..\..\a.csv`, text: csv}), "leads out of the archive", fault.Invalid},
		{"an absolute name", archive(t, member{name: "/etc/passwd", text: csv}), "leads out of the archive", fault.Invalid},
		{"a drive", archive(t, member{name: `C:\a.csv`, text: csv}), "leads out of the archive", fault.Invalid},
		{"a link", archive(t, member{name: "a.csv", text: "/etc/passwd", mode: fs.ModeSymlink}), "is a link", fault.Invalid},
		{"a name twice", archive(t, member{name: "a.csv", text: csv}, member{name: "a.csv", text: csv}), "twice", fault.Invalid},
		{"a password", archive(t, member{name: "a.csv", text: csv, flags: 1}), "password", fault.Invalid},
		{"too many files", archive(t, many...), "more than 1000 files", fault.Invalid},
		{"an archive that says it is a workbook", archive(t, member{name: "a.xlsx", text: inner}), "archive inside an archive", fault.Invalid},
		{"a workbook's styles that fill the memory", bookOf(t, map[string]string{"xl/styles.xml": large}), "too large for a workbook", fault.TooLarge},
		{"a workbook of too many sheets", archive(t, sheets...), "more than 250 sheets", fault.Invalid},
		{"an old workbook", "\xd0\xcf\x11\xe0rest", "old Excel file", fault.Invalid},
		{"a workbook with a password", "\xd0\xcf\x11\xe0" + strings.Repeat("\x00", 1000) + string(encryptedPackage), "take the password off", fault.Invalid},
		{"a binary workbook", archive(t, member{name: "xl/workbook.bin"}), ".xlsb", fault.Invalid},
		{"an OpenDocument sheet", archive(t, member{name: "mimetype"}, member{name: "content.xml"}), ".ods", fault.Invalid},
		{"a Numbers file", archive(t, member{name: "Index/Document.iwa"}), "Numbers", fault.Invalid},
		{"a document", archive(t, member{name: "word/document.xml"}), "a document", fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := openText(t, "x.zip", c.file)
			if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestASheetThatFillsTheDiskIsRefused(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, name := range []string{"xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name, "sheet1") {
			io.Copy(w, &endless{head: "<worksheet><sheetData>", fill: ' ', n: bombFloor + 1<<20})
		}
	}
	zw.Close()
	if _, _, err := openText(t, "x.xlsx", b.String()); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v, want a refusal as too large", err)
	}
}

func TestAWorkbookInAnArchiveIsRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"time.xlsx", "time.xlsm", "time"} {
		_, rows, err := openText(t, "x.zip", archive(t, member{name: "export/" + name, text: written(t, timeRows, nil)}))
		if err != nil || len(rows) != 4 {
			t.Errorf("%s: got %d rows and %v", name, len(rows), err)
		}
	}
}
