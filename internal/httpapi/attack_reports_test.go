package httpapi_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/httpapi"
)

func TestNamesOfReportsLeadNowhere(t *testing.T) {
	t.Parallel()
	dir := ""
	s, _ := serveWith(t, func(d *httpapi.Deps, _ *httpapi.Options) { dir = d.Dir })
	before := filesUnder(t, filepath.Dir(dir), dir)
	for _, name := range []string{"../../evil", `..\..\evil`, "/etc/evil", "a/b", "a\x00b", "a b", "..", "."} {
		quoted, _ := json.Marshal(name)
		text := "name: " + string(quoted) + "\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - text: {paragraphs: [x]}\n"
		if a := as(t, s, "", http.MethodPost, "/api/v1/report-templates", templateBody(text)); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a template called %q: %d %s", name, a.status, a.body)
		}
		if a := as(t, s, "", http.MethodPut, "/api/v1/report-brand", `{"logo":`+string(quoted)+`}`); a.status != http.StatusUnprocessableEntity {
			t.Errorf("a logo called %q: %d %s", name, a.status, a.body)
		}
		for _, path := range []string{"/reports", "/report-previews"} {
			if a := as(t, s, "", http.MethodPost, "/api/v1"+path, `{"template":`+string(quoted)+`,"format":"pdf"}`); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s of a template %q: %d %s", path, name, a.status, a.body)
			}
		}
	}
	if after := filesUnder(t, filepath.Dir(dir), dir); after != before {
		t.Errorf("files beside the data directory: %s, before %s", after, before)
	}
}

// pngOf is a valid head of a PNG of a size, with little behind it.
func pngOf(width, height uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		b.Write(body)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	chunk("IHDR", append(head, 16, 6, 0, 0, 0)) // 8 bytes a pixel
	chunk("IDAT", []byte{0x78, 0x9c, 3, 0, 0, 0, 0, 1})
	chunk("IEND", nil)
	return b.Bytes()
}

func TestALogoIsAPictureAndNothingElse(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var plain, photo, wide bytes.Buffer
	if err := png.Encode(&plain, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 5000, 5000))); err != nil { // some kB, 25 million pixels
		t.Fatal(err)
	}
	keep := func(content []byte) answer {
		return as(t, s, "", http.MethodPost, "/api/v1/report-assets", string(content), "Content-Type", "application/octet-stream")
	}
	for name, content := range map[string][]byte{
		"SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "HTML": []byte("<!doctype html><script>alert(1)</script>"), "GIF": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
		"PDF": []byte("%PDF-1.7\n"), "nothing": {}, "a PNG that is a page, too": append(bytes.Clone(plain.Bytes()), "<!doctype html><script>alert(1)</script>"...),
		"a PNG that is an archive, too": append(bytes.Clone(plain.Bytes()), "PK\x05\x06"+strings.Repeat("\x00", 18)...), "a JPEG that is a page, too": append(bytes.Clone(photo.Bytes()), "<script>"...),
		"a bomb": pngOf(65000, 65000), "a bomb whose sides are short enough": pngOf(6000, 6000), "a bomb that is whole": wide.Bytes(), "a PNG without pixels": pngOf(8, 8), "half a PNG": plain.Bytes()[:plain.Len()-20],
		"a font that is none": []byte("\x00\x01\x00\x00" + strings.Repeat("\xff", 4000)),
	} {
		begun := time.Now()
		if a := keep(content); a.status != http.StatusUnprocessableEntity && a.status != http.StatusRequestEntityTooLarge || time.Since(begun) > fast {
			t.Errorf("%s is kept, or looked at for long: %d %s after %s", name, a.status, a.body, time.Since(begun))
		}
	}
	for _, content := range [][]byte{plain.Bytes(), photo.Bytes()} {
		a := keep(content)
		var is struct{ SHA256 string }
		if json.Unmarshal([]byte(a.body), &is); a.status != http.StatusCreated {
			t.Fatalf("a picture: %d %s", a.status, a.body)
		}
		got := get(t, s, "/api/v1/report-assets/"+is.SHA256)
		if got.status != http.StatusOK || got.body != string(content) || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Disposition") != "attachment" || !strings.HasPrefix(got.header.Get("Content-Type"), "image/") {
			t.Errorf("it comes back as %d %v", got.status, got.header)
		}
	}
}

func TestATemplateThatIsMadeToBeExpensiveIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	laughs := "name: laughs\ntitle: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'k'; c++ {
		before := string(c - 1)
		laughs += fmt.Sprintf("letter%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+before+",", 9), ","))
	}
	inPlace := "name: laughs\ntitle: X\nsections:\n  - title: A\n    blocks:\n      - text: {paragraphs: &a [x,x,x,x,x,x,x,x,x]}\n"
	for c := 'b'; c <= 'j'; c++ {
		inPlace += fmt.Sprintf("      - text: {paragraphs: &%c [%s]}\n", c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ","))
	}
	for name, text := range map[string]string{
		"aliases of aliases": laughs, "aliases where there may be lists": inPlace, "an alias of itself": "name: x\ntitle: &a [*a]\n",
		"deep lists": "name: x\ntitle: " + strings.Repeat("[", 20_000), "deep maps": "name: x\ntitle: " + strings.Repeat("{a: ", 10_000), "deep blocks": "name: x\ntitle:\n" + func() string {
			var b strings.Builder
			for i := range 300 {
				b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
			}
			return b.String()
		}(),
		"many sections": "name: many\ntitle: X\nsections:\n" + strings.Repeat("  - {title: A, blocks: []}\n", 2000), "many lines": strings.Repeat("a: b\n", 12_000),
		"many blocks":    "name: many\ntitle: X\nsections:\n  - title: A\n    blocks:\n" + strings.Repeat("      - text: {items: [x]}\n", 1500),
		"many documents": strings.Repeat("---\na\n", 9000), "long": strings.Repeat("x", 70_000),
	} {
		for _, path := range []string{"/report-templates/check", "/report-templates", "/report-previews"} {
			begun := time.Now()
			if a := as(t, s, "", http.MethodPost, "/api/v1"+path, templateBody(text)); a.status != http.StatusUnprocessableEntity && a.status != http.StatusRequestEntityTooLarge || time.Since(begun) > fast {
				t.Errorf("%s to %s: %d %.200s after %s", name, path, a.status, a.body, time.Since(begun))
			}
		}
	}
	if a := get(t, s, "/api/v1/report-templates"); strings.Contains(a.body, "laughs") || strings.Contains(a.body, `"many"`) {
		t.Errorf("something was kept: %s", a.body)
	}
}

func TestNoReportRunsOrSendsWhatSomebodyWrote(t *testing.T) {
	t.Parallel()
	s, d := serveWhole(t)
	f := &firm{t, s, d}
	const evil = "Evil\"; filename=b.exe\r\nX-Evil: 1"
	rows := [][]string{{"invoice_id", "client_name", "amount", "date", "status"}}
	for i, client := range []string{evil, `=HYPERLINK("http://attacker.example","x")`, "@SUM(1)", "+1+1", "-2-2", "<script>alert(1)</script>", "=cmd|' /C calc'!A0"} {
		rows = append(rows, []string{fmt.Sprint("I-", i), client, fmt.Sprint(1000 * (i + 1)), "2026-01-15", "paid"})
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if a := upload(t, s, map[string]string{"invoices.csv": text.String()}, "Cookie", cookieOf(t, s, "acme/anna")); a.status != http.StatusCreated {
		t.Fatal(a.body)
	}
	f.want(200, "acme/anna", http.MethodPost, "/report-templates", templateBody("name: formulas\ntitle: '=HYPERLINK(1)'\nsections:\n  - title: '=1+1'\n    blocks:\n      - text: {title: '@SUM(1)', paragraphs: ['=2+2', '<script>alert(2)</script>']}\n      - table: {title: '+3+3', measures: [revenue], by: [client]}\n"))
	var names struct{ Rows [][]any }
	if err := json.Unmarshal([]byte(f.want(200, "acme/anna", http.MethodGet, "/query?measures=revenue&by=client", "")), &names); err != nil {
		t.Fatal(err)
	}
	client := ""
	for _, row := range names.Rows {
		if name, _ := row[0].(string); strings.HasPrefix(name, "Evil") {
			client = name
		}
	}
	if client == "" {
		t.Fatalf("%v", names.Rows)
	}
	body, _ := json.Marshal(map[string]string{"template": "client-qbr", "client": client, "format": "html", "from": "2026-01", "to": "2026-02"})
	_, got := f.file("acme/anna", string(body))
	if got.status != http.StatusOK || got.header.Get("X-Evil") != "" || !regexp.MustCompile(`^attachment; filename="[a-zA-Z0-9.-]+\.html"$`).MatchString(got.header.Get("Content-Disposition")) {
		t.Errorf("the file about the client: %d %v", got.status, got.header)
	}
	if !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'") && got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("an HTML file could be run by the server's address: %v", got.header)
	}
	file := func(format string) string {
		t.Helper()
		_, got := f.file("acme/anna", `{"template":"formulas","format":"`+format+`","from":"2026-01","to":"2026-02"}`)
		if got.status != http.StatusOK {
			t.Fatal(got.status, got.body)
		}
		return got.body
	}
	read := csv.NewReader(strings.NewReader(strings.TrimPrefix(file("csv"), "\ufeff")))
	read.FieldsPerRecord = -1
	cells, err := read.ReadAll()
	if err != nil || !strings.Contains(fmt.Sprint(cells), "HYPERLINK(") {
		t.Fatalf("%v %v", cells, err)
	}
	for _, row := range cells {
		for _, cell := range row {
			if _, err := strconv.ParseFloat(cell, 64); err != nil && strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
				t.Errorf("the CSV file holds %q", cell)
			}
		}
	}
	for _, format := range []string{"xlsx", "pptx"} {
		content := file(format)
		z, err := zip.NewReader(strings.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		told := false
		for _, part := range z.File {
			in, err := part.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(in)
			in.Close()
			if err != nil {
				t.Fatal(err)
			}
			told = told || strings.Contains(string(text), "HYPERLINK(")
			for _, formula := range regexp.MustCompile(`<(?:x:)?f>([^<]*)</`).FindAllString(string(text), -1) {
				if strings.Contains(formula, "HYPERLINK") || strings.Contains(formula, "cmd") || strings.Contains(formula, "1+1") {
					t.Errorf("%s: %s runs %s", format, part.Name, formula)
				}
			}
			if strings.Contains(part.Name, "vbaProject") || strings.HasSuffix(part.Name, ".rels") && strings.Contains(string(text), `TargetMode="External"`) {
				t.Errorf("%s: %s leads elsewhere", format, part.Name)
			}
		}
		if !told {
			t.Errorf("the %s file does not name the clients", format)
		}
	}
	if page := file("html"); strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;alert(") {
		t.Errorf("the page runs a client's name: %.500s", page)
	}
}

func TestASchedulesRecipientsAreCheckedWhenItIsSaved(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	const mail = `{"name":"post","kind":"email","settings":{"host":"smtp.example.com","from":"a@b.example"}}`
	own, foreign, hook := f.made("acme/anna", "/destinations", mail), f.made("bolt/bea", "/destinations", mail), f.hook("bolt/bea")
	mine := f.hook("acme/anna")
	bea := struct{ Account string }{}
	if err := json.Unmarshal([]byte(f.want(200, "bolt/bea", http.MethodGet, "/session", "")), &bea); err != nil {
		t.Fatal(err)
	}
	for name, recipient := range map[string]string{
		"another header":                `{"address":"a@b.example\r\nBcc: eve@attacker.example","destination":"` + own + `","role":"viewer"}`,
		"another address":               `{"address":"a@b.example, eve@attacker.example","destination":"` + own + `","role":"viewer"}`,
		"a name with an address":        `{"address":"Eve <eve@attacker.example>","destination":"` + own + `","role":"viewer"}`,
		"a member with another header":  `{"actor":"user:1\r\nBcc: eve@attacker.example","destination":"` + own + `"}`,
		"a member of another tenant":    `{"actor":"user:` + bea.Account + `"}`,
		"a member that is none":         `{"actor":"job:reports"}`,
		"no role of an address":         `{"address":"a@b.example","destination":"` + own + `"}`,
		"a role that there is not":      `{"address":"a@b.example","destination":"` + own + `","role":"root"}`,
		"no place":                      `{"address":"a@b.example","role":"viewer"}`,
		"a member at a webhook":         `{"actor":"` + f.join("may", access.Standing{Role: access.Owner}) + `","destination":"` + mine + `"}`,
		"a webhook of another tenant":   `{"destination":"` + hook + `","role":"viewer"}`,
		"a mail server of other tenant": `{"address":"a@b.example","destination":"` + foreign + `","role":"viewer"}`,
	} {
		if a := f.ask("acme/anna", http.MethodPost, "/schedules", sends("service-desk", recipient)); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	theirs := f.ask("acme/anna", http.MethodPost, "/schedules", sends("service-desk", `{"destination":"`+hook+`","role":"viewer"}`))
	none := f.ask("acme/anna", http.MethodPost, "/schedules", sends("service-desk", `{"destination":"zzzzzzzzzzzzzzzz","role":"viewer"}`))
	if strings.ReplaceAll(theirs.body, hook, "zzzzzzzzzzzzzzzz") != none.body {
		t.Errorf("of another tenant %s, of none %s", theirs.body, none.body)
	}
	if n := f.count("acme/anna", "/schedules"); n != 0 {
		t.Errorf("%d schedules", n)
	}
	if id := f.made("acme/anna", "/schedules", sends("service-desk", `{"address":"a@b.example","destination":"`+own+`","role":"viewer"}`)); f.run(id) != "" {
		t.Error("what is right is not sent")
	}
}

func TestNobodySendsMoreThanTheySee(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	hook := f.hook("acme/anna")
	f.want(200, "acme/anna", http.MethodPost, "/roles", `{"name":"sender","label":"S","based_on":"viewer","actions":["boards.read","definitions.write","figures.export","figures.read","reports.send","self.manage"],"hidden":["cost","margin","pay","personal"]}`)
	f.join("eve", access.Standing{Role: "sender"})
	f.join("ines", access.Standing{Role: access.Analyst})
	for _, role := range []string{access.Owner, access.Finance, access.Analyst} {
		if a := f.ask("acme/eve", http.MethodPost, "/schedules", sends("service-desk", `{"destination":"`+hook+`","role":"`+role+`"}`)); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "may see more than you") {
			t.Errorf("with the rights of %s: %d %s", role, a.status, a.body)
		}
	}
	f.want(403, "acme/ines", http.MethodPost, "/schedules", sends("service-desk", `{"destination":"`+hook+`","role":"owner"}`))
	f.want(200, "acme/eve", http.MethodPost, "/schedules", sends("service-desk", `{"destination":"`+hook+`","role":"viewer"}`))

	// Whoever cannot read the record sends nobody a report about it who can.
	f.want(422, "acme/eve", http.MethodPost, "/schedules", sends("audit", `{"destination":"`+hook+`","role":"admin"}`))

	// A schedule sends what whoever set it up may see and send on the day.
	finance := f.join("fred", access.Standing{Role: access.Finance})
	id := f.made("acme/fred", "/schedules", sends("cash-and-receivables", `{"destination":"`+hook+`","role":"finance"}`))
	if problem := f.run(id); problem != "" {
		t.Fatal(problem)
	}
	sent, made := f.count("acme/anna", "/deliveries"), f.count("acme/anna", "/reports")
	if sent != 1 || made != 1 {
		t.Fatalf("%d sent, %d made", sent, made)
	}
	f.want(204, "acme/anna", http.MethodPut, "/users/"+strings.TrimPrefix(finance, "user:"), `{"role":"viewer"}`)
	if problem := f.run(id); !strings.Contains(problem, "may not send reports any more") {
		t.Errorf("after the demotion: %q", problem)
	}
	f.want(204, "acme/anna", http.MethodPut, "/users/"+strings.TrimPrefix(finance, "user:"), `{"role":"sender"}`)
	if problem := f.run(id); !strings.Contains(problem, "may see more than") {
		t.Errorf("after a role that sees less: %q", problem)
	}
	if sent, made := f.count("acme/anna", "/deliveries"), f.count("acme/anna", "/reports"); sent != 1 || made != 1 {
		t.Errorf("then %d sent, %d made", sent, made)
	}
}

// What was for clients when the schedule was saved, and leaves the house with nobody's rights
// named, does not leave it with the author's when somebody takes the audience out.
func TestATemplateThatIsNotForClientsAnyMoreIsNotSentToThem(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	hook := f.hook("acme/anna")
	text := func(audience string) string {
		return templateBody("name: visit\ntitle: Visit\n" + audience + "of_client: true\nsections:\n  - title: A\n    blocks:\n      - tiles: {measures: [revenue, hours_worked, labor_cost]}\n")
	}
	f.want(200, "acme/anna", http.MethodPost, "/report-templates", text("audience: client\n"))
	id := f.made("acme/anna", "/schedules", sends("visit", `{"destination":"`+hook+`"}`))
	if problem := f.run(id); problem != "" || f.count("acme/anna", "/deliveries") != 1 {
		t.Fatalf("%q", problem)
	}
	f.join("ines", access.Standing{Role: access.Analyst})
	f.want(200, "acme/ines", http.MethodPut, "/report-templates/visit", text(""))
	if problem := f.run(id); !strings.Contains(problem, "not for clients any more") {
		t.Errorf("%q", problem)
	}
	if n := f.count("acme/anna", "/deliveries"); n != 1 {
		t.Errorf("%d are sent", n)
	}
	// The same template as a preview shows a role that sees no cost none, with the audience or without.
	f.join("vic", access.Standing{Role: access.Viewer})
	for _, audience := range []string{"audience: client\n", ""} {
		var of struct{ Text string }
		if err := json.Unmarshal([]byte(text(audience)), &of); err != nil {
			t.Fatal(err)
		}
		body, _ := json.Marshal(map[string]string{"text": of.Text, "client": "Birch", "from": "2026-01", "to": "2026-03"})
		if a := f.ask("acme/vic", http.MethodPost, "/report-previews", string(body)); strings.Contains(a.body, "40000") || a.status == http.StatusOK && !strings.Contains(a.body, "9002") {
			t.Errorf("with %q: %d %s", audience, a.status, a.body)
		}
		if a := f.ask("acme/anna", http.MethodPost, "/report-previews", string(body)); strings.Contains(a.body, "40000") != (audience == "") {
			t.Errorf("of the owner with %q: %d %s", audience, a.status, a.body)
		}
	}
}

func TestAFileIsForThoseItWasSentToAndWhoSeeAllOfIt(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	vic, _ := f.join("vic", access.Standing{Role: access.Viewer}), f.join("vera", access.Standing{Role: access.Viewer})
	val := f.join("val", access.Standing{Role: access.Viewer})
	f.join("fred", access.Standing{Role: access.Finance})
	id := f.made("acme/anna", "/schedules", sends("service-desk", `{"actor":"`+vic+`"},{"actor":"`+val+`"}`))
	if problem := f.run(id); problem != "" {
		t.Fatal(problem)
	}
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(f.want(200, "acme/vic", http.MethodGet, "/reports", "")), &list); err != nil || len(list.Items) != 1 {
		t.Fatal(list, err)
	}
	file := list.Items[0].ID
	f.want(200, "acme/vic", http.MethodGet, "/reports/"+file+"/download", "")
	if is := f.want(200, "acme/vic", http.MethodGet, "/reports/"+file, ""); !strings.Contains(is, `"receiver":"`+vic+`"`) || strings.Contains(is, `"receiver":"`+val+`"`) {
		t.Errorf("one who got it is told who else did: %s", is)
	}
	for _, path := range []string{"/reports/" + file, "/reports/" + file + "/download"} {
		f.want(404, "acme/vera", http.MethodGet, path, "")
		want := map[bool]string{true: `"status":422`, false: `"status":404`}[strings.HasSuffix(path, "download")] // files go alone only
		if a := f.ask("acme/vera", http.MethodPost, "/operations", `{"operations":[{"method":"GET","path":"/api/v1`+path+`"}]}`); !strings.Contains(a.body, want) {
			t.Errorf("as an operation of several: %s", a.body)
		}
	}
	if n := f.count("acme/vera", "/reports"); n != 0 {
		t.Errorf("%d files for somebody who was sent none", n)
	}
	// Whoever is taken a right sees no file any more that rests on it.
	f.want(204, "acme/anna", http.MethodPut, "/users/"+strings.TrimPrefix(vic, "user:"), `{"role":"client-portal","clients":["Alder"]}`)
	f.want(404, "acme/vic", http.MethodGet, "/reports/"+file+"/download", "")
	// The record and the quality of the data are read by those who may, also in a file.
	record, got := f.file("acme/anna", `{"template":"audit","format":"json"}`)
	if got.status != http.StatusOK || !strings.Contains(got.body, "account.") {
		t.Fatalf("%d %.300s", got.status, got.body)
	}
	desk, _ := f.file("acme/anna", `{"template":"cash-and-receivables","format":"json"}`)
	f.want(200, "acme/fred", http.MethodGet, "/reports/"+desk+"/download", "")
	for _, path := range []string{"", "/download"} {
		f.want(404, "acme/fred", http.MethodGet, "/reports/"+record+path, "")
	}
	f.want(404, "acme/fred", http.MethodPost, "/reports/"+record+"/reproduce", "")
	f.want(404, "acme/fred", http.MethodDelete, "/reports/"+record, "")
}
