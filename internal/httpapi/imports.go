package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
)

type importPath struct {
	ID int64 `path:"id"`
}

type importAnswer struct {
	Results []dataset.ImportResult `json:"results"`
	Problem *problem               `json:"problem,omitempty" doc:"what stopped the import after these results, if anything did"`
}

type fieldAnswer struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Required bool   `json:"required"`
	Help     string `json:"help"`
	Example  string `json:"example"`
}

func (s *server) importRoutes(api huma.API) {
	get(api, "list-imports", "/imports", "Imports, newest first", func(ctx context.Context, in *Paging) (page[dataset.Import], error) {
		items, err := s.Data.Imports(ctx, s.scope(ctx), in.Limit, in.Cursor)
		out := page[dataset.Import]{Items: items}
		if items == nil {
			out.Items = []dataset.Import{}
		}
		if len(items) == in.Limit {
			out.Next = items[len(items)-1].ID
		}
		return out, err
	})
	get(api, "get-import", "/imports/{id}", "One import with what was recognized and found", func(ctx context.Context, in *importPath) (dataset.Import, error) {
		return s.Data.Record(ctx, s.scope(ctx), in.ID)
	})
	post(api, "undo-import", "/imports/{id}/undo", "Undo an import, whatever came after it: a new snapshot without what it changed", func(ctx context.Context, in *importPath) (rollbackAnswer, error) {
		out, err := s.Data.Undo(ctx, s.scope(ctx), in.ID)
		return rollbackAnswer{out.Snapshot, out.Changed}, err
	})

	get(api, "list-fields", "/datasets/{name}/fields", "What a column of a dataset's file can mean", func(_ context.Context, in *struct {
		Name string `path:"name"`
	}) (page[fieldAnswer], error) {
		d, ok := dataset.Find(in.Name)
		if !ok {
			return page[fieldAnswer]{}, notFound("dataset", in.Name)
		}
		out := page[fieldAnswer]{}
		for _, f := range d.Fields {
			out.Items = append(out.Items, fieldAnswer{f.Name, string(f.Kind), f.Required, f.Help, f.Example})
		}
		return out, nil
	})

	raw(api, huma.Operation{OperationID: "create-import", Method: http.MethodPost, Path: "/api/v1/imports", Summary: "Import one or more files (multipart/form-data; streamed)",
		Description: "Parts named dataset, mapping (YAML), dry_run and replace (period or table) must stand before the file parts they are for. Importing a file again changes nothing.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{
			"dataset": {Type: "string"}, "mapping": {Type: "string"}, "dry_run": {Type: "boolean"}, "replace": {Type: "string", Enum: []any{"period", "table"}}, "file": {Type: "string", Format: "binary"}}}}}},
		Responses: map[string]*huma.Response{"201": jsonResponse(api, "what became of each file", importAnswer{}), "422": {Description: "no file could be imported; problem details"}},
	}, s.upload)
	raw(api, huma.Operation{OperationID: "list-rejects", Method: http.MethodGet, Path: "/api/v1/imports/{id}/rejects", Summary: "Rejected rows of an import, as JSON or (format=csv) as a file",
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "integer"}}, {Name: "format", In: "query", Schema: &huma.Schema{Type: "string", Enum: []any{"json", "csv"}}},
			{Name: "limit", In: "query", Schema: &huma.Schema{Type: "integer"}}, {Name: "cursor", In: "query", Schema: &huma.Schema{Type: "integer"}}},
		Responses: map[string]*huma.Response{"200": jsonResponse(api, "rejected rows with line, column, value, reason and suggestion", page[dataset.Reject]{})},
	}, s.rejects)
	raw(api, huma.Operation{OperationID: "export-dataset", Method: http.MethodGet, Path: "/api/v1/datasets/{name}/export", Summary: "The stored rows of a dataset as CSV that imports unchanged",
		Parameters: []*huma.Param{{Name: "name", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}, {Name: "source", In: "query", Description: "source system of the rows, when there are several", Schema: &huma.Schema{Type: "string"}}},
		Responses:  map[string]*huma.Response{"200": {Description: "the rows in the dataset's fields, with their keys", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}},
	}, s.exportDataset)
	raw(api, huma.Operation{OperationID: "get-template", Method: http.MethodGet, Path: "/api/v1/datasets/{name}/template", Summary: "Template of a dataset, as CSV or as a workbook with notes and lists",
		Parameters: []*huma.Param{{Name: "name", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}, {Name: "format", In: "query", Schema: &huma.Schema{Type: "string", Enum: []any{"csv", "xlsx"}, Default: "csv"}}},
		Responses:  map[string]*huma.Response{"200": {Description: "headers and two example rows", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}, xlsxType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
	}, s.template)
}

// raw registers a route that reads or writes something other than JSON.
func raw(api huma.API, op huma.Operation, fn func(ctx huma.Context) error) {
	api.OpenAPI().AddOperation(&op)
	api.Adapter().Handle(&op, func(ctx huma.Context) {
		if err := fn(ctx); err != nil {
			p := problemOf(err)
			ctx.SetHeader("Content-Type", "application/problem+json")
			ctx.SetStatus(p.Status)
			json.NewEncoder(ctx.BodyWriter()).Encode(p)
		}
	})
}

func jsonResponse(api huma.API, what string, v any) *huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
	return &huma.Response{Description: what, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}

func (s *server) upload(ctx huma.Context) error {
	answer, err := s.importParts(ctx.Context(), ctx.Header("Content-Type"), ctx.BodyReader())
	if err != nil {
		return err
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	if answer.Problem != nil {
		unkept(ctx.Context()) // sent again it goes on where it stopped
	}
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetStatus(http.StatusCreated)
	_, err = ctx.BodyWriter().Write(text)
	return err
}

// importParts imports the file parts of a form as they stream in. A failure of the first
// file is the request's; a later one is told beside the results before it.
func (s *server) importParts(ctx context.Context, contentType string, r io.Reader) (importAnswer, error) {
	out := importAnswer{Results: []dataset.ImportResult{}}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return out, fault.Newf(fault.Invalid, "send the files as multipart/form-data, each in a part named file")
	}
	form := multipart.NewReader(r, params["boundary"])
	var req dataset.ImportRequest
	files := 0
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return out, bodyFault(err)
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, jsonLimit))
			if err != nil {
				return out, bodyFault(err)
			}
			switch text := strings.TrimSpace(string(value)); part.FormName() {
			case "dataset":
				req.Dataset = text
			case "mapping":
				req.Mapping = value
			case "replace":
				req.Replace = dataset.Replace(text)
			case "dry_run":
				if req.DryRun, err = strconv.ParseBool(text); err != nil && text != "" {
					return out, fault.Newf(fault.Invalid, "dry_run is true or false")
				}
			default:
				return out, fault.WithFields("the form has an unknown part", fault.Field{Path: part.FormName(), Message: "is not known", Allowed: []string{"dataset", "mapping", "dry_run", "replace", "file"}})
			}
			continue
		}
		files++
		one := req
		one.Reader, one.Name = part, part.FileName()
		results, err := s.Data.Import(ctx, s.scope(ctx), one)
		out.Results = append(out.Results, results...)
		if err != nil {
			if len(out.Results) == 0 {
				return out, bodyFault(err)
			}
			p := problemOf(fmt.Errorf("%s: %w", part.FileName(), err))
			out.Problem = &p
			return out, nil
		}
	}
	if files == 0 {
		return out, fault.Newf(fault.Invalid, "the form holds no file: put each in a part named file")
	}
	return out, nil
}

func bodyFault(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return fault.Newf(fault.TooLarge, "the upload is larger than %d MB: import it with the command line", big.Limit>>20)
	}
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	return fault.Wrapf(fault.Invalid, err, "the form could not be read to its end: send it again")
}

func (s *server) rejects(ctx huma.Context) error {
	id, err := strconv.ParseInt(ctx.Param("id"), 10, 64)
	if err != nil {
		return notFound("import", ctx.Param("id"))
	}
	if err := s.noteRead(ctx.Context(), audit.Subject{Kind: "import", ID: ctx.Param("id")}); err != nil {
		return err
	}
	number := func(name string, most int64) (int64, error) {
		text := ctx.Query(name)
		if text == "" {
			return 0, nil
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > most {
			return 0, fault.WithFields(name+" is not valid", fault.Field{Path: name, Message: fmt.Sprintf("must be 0 to %d", most)})
		}
		return n, nil
	}
	limit, err := number("limit", 1000)
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = 100
	}
	cursor, err := number("cursor", 1<<62)
	if err != nil {
		return err
	}
	if ctx.Query("format") == "csv" {
		return s.rejectsFile(ctx, id)
	}
	p, err := s.Data.Rejects(ctx.Context(), s.scope(ctx.Context()), id, cursor, int(limit))
	if err != nil {
		return err
	}
	if p.Rejects == nil {
		p.Rejects = []dataset.Reject{}
	}
	ctx.SetHeader("Content-Type", "application/json")
	return json.NewEncoder(ctx.BodyWriter()).Encode(page[dataset.Reject]{Items: p.Rejects, Next: p.Next})
}

// rejectsFile writes all rejects as a CSV that can be corrected and imported.
func (s *server) rejectsFile(ctx huma.Context, id int64) error {
	imp, err := s.Data.Record(ctx.Context(), s.scope(ctx.Context()), id)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	file, err := dataset.NewRejectsFile(&buf, imp.Result)
	for after := int64(0); err == nil; {
		var p dataset.RejectPage
		if p, err = s.Data.Rejects(ctx.Context(), s.scope(ctx.Context()), id, after, 1000); err == nil {
			err = file.Write(imp.Result, p.Rejects)
		}
		if after = p.Next; after == 0 {
			break
		}
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return err
	}
	ctx.SetHeader("Content-Type", "text/csv; charset=utf-8")
	ctx.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="rejects-%d.csv"`, id))
	_, err = ctx.BodyWriter().Write(buf.Bytes())
	return err
}

// exportDataset streams the rows; a fault before the first of them is told as a problem.
func (s *server) exportDataset(ctx huma.Context) error {
	name := ctx.Param("name")
	if err := s.noteRead(ctx.Context(), audit.Subject{Kind: "dataset", ID: name}); err != nil {
		return err
	}
	w := &begun{ctx: ctx, name: name}
	err := s.Data.Export(ctx.Context(), s.scope(ctx.Context()), name, ctx.Query("source"), w)
	if err != nil && w.started {
		s.opt.Log.WarnContext(ctx.Context(), "an export was cut off", slog.String("dataset", name), slog.Any("error", err))
		panic(http.ErrAbortHandler) // so that the client does not take the part for the whole
	}
	return err
}

// begun sets the headers of a file when its first bytes come.
type begun struct {
	ctx     huma.Context
	name    string
	started bool
}

func (b *begun) Write(p []byte) (int, error) {
	if !b.started {
		b.started = true
		b.ctx.SetHeader("Content-Type", csvType)
		b.ctx.SetHeader("Content-Disposition", fmt.Sprintf("attachment; filename=%q", b.name+".csv"))
	}
	return b.ctx.BodyWriter().Write(p)
}

func (s *server) template(ctx huma.Context) error {
	form, write, media := ctx.Query("format"), dataset.Template, "text/csv; charset=utf-8"
	switch form {
	case "", "csv":
		form = "csv"
	case "xlsx":
		write, media = dataset.TemplateXLSX, xlsxType
	default:
		return fault.WithFields(fmt.Sprintf("there is no template as %q", form), fault.Field{Path: "format", Message: "unknown", Allowed: []string{"csv", "xlsx"}})
	}
	text, err := write(ctx.Param("name"))
	if err != nil {
		return err
	}
	ctx.SetHeader("Content-Type", media)
	ctx.SetHeader("Content-Disposition", fmt.Sprintf("attachment; filename=%q", ctx.Param("name")+"."+form))
	_, err = ctx.BodyWriter().Write(text)
	return err
}
