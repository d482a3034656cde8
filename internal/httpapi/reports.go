package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/document"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/report"
)

// templatesAnswer lists what reports there are and as what they are written.
type templatesAnswer struct {
	Items   []*report.Template `json:"items" nullable:"false"`
	Formats []report.Format    `json:"formats" nullable:"false"`
}

// reportTemplateAnswer is a template with its text and versions.
type reportTemplateAnswer struct {
	*report.Template
	Text     string            `json:"text" doc:"YAML"`
	Versions []templateVersion `json:"versions" nullable:"false" doc:"newest first; none of a built-in one"`
}

type templateVersion struct {
	Version int    `json:"version"`
	At      string `json:"at"`
	Author  string `json:"author"`
	Removed bool   `json:"removed"`
}

// ReportBody asks for a report. It is exported since what is embedded unexported has no place in the schema.
type ReportBody struct {
	Template string `json:"template,omitempty" maxLength:"40" doc:"name of a template"`
	Client   string `json:"client,omitempty" maxLength:"500" doc:"of a report about one client; empty: the one with the highest revenue"`
	From     string `json:"from,omitempty" maxLength:"10" doc:"first month; empty: the template's own period"`
	To       string `json:"to,omitempty" maxLength:"10" doc:"first month not included"`
	Currency string `json:"currency,omitempty" maxLength:"3" doc:"ISO 4217; amounts are converted to it"`
	AsOf     string `json:"as_of,omitempty" maxLength:"10" doc:"the day that is taken for today"`
	Snapshot int64  `json:"snapshot,omitempty" minimum:"0" doc:"0: the current one"`
}

func (b ReportBody) request() (report.Request, error) {
	out := report.Request{Template: b.Template, Client: b.Client, Currency: b.Currency, Snapshot: b.Snapshot}
	var err error
	if out.Period, err = quantity.ParsePeriod(b.From, b.To); err != nil {
		return out, err
	}
	if b.AsOf != "" {
		out.AsOf, err = quantity.AskedDay(b.AsOf)
	}
	return out, err
}

// previewAnswer is a report that is not kept, and its charts as pictures.
type previewAnswer struct {
	Title    string             `json:"title"`
	Client   string             `json:"client,omitempty"`
	Period   string             `json:"period"`
	Document *document.Document `json:"document"`
	Charts   []string           `json:"charts" nullable:"false" doc:"SVG, in the order in which the document has charts"`
}

type reportsInput struct {
	Template string `query:"template" maxLength:"40"`
	Schedule string `query:"schedule" maxLength:"80"`
	Client   string `query:"client" maxLength:"500"`
	Limit    int    `query:"limit" minimum:"0" maximum:"200" doc:"0 is 50"`
	Cursor   string `query:"cursor" maxLength:"100"`
}

type reportsAnswer struct {
	Items []*report.Report `json:"items" nullable:"false"`
	Next  string           `json:"next,omitempty" doc:"pass as cursor for the next page; absent on the last"`
}

type reportInput struct {
	ID string `path:"id" maxLength:"40"`
}

// removedAnswer says that something is gone.
type removedAnswer struct {
	Removed bool `json:"removed"`
}

type templateInput struct {
	Name string `path:"name" maxLength:"40"`
}

type templateText struct {
	Text string `json:"text" maxLength:"65536" doc:"YAML; docs/reports.md describes it"`
}

func (s *server) reportRoutes(api huma.API) {
	get(api, "list-report-templates", "/report-templates", "Templates of reports, the built-in ones first, and the formats", func(ctx context.Context, _ *none) (templatesAnswer, error) {
		list, err := s.Reports.Templates(ctx, s.scope(ctx))
		return templatesAnswer{list, report.Formats}, err
	})
	get(api, "get-report-template", "/report-templates/{name}", "A template with its text and versions", s.reportTemplate)
	post(api, "check-report-template", "/report-templates/check", "Say what is wrong with a template, line by line", func(ctx context.Context, in *struct{ Body templateText }) (*report.Template, error) {
		return s.Reports.CheckTemplate(ctx, s.scope(ctx), in.Body.Text)
	})
	post(api, "add-report-template", "/report-templates", "Keep a template under the name that it gives itself", func(ctx context.Context, in *struct{ Body templateText }) (*report.Template, error) {
		return s.Reports.PutTemplate(ctx, s.scope(ctx), in.Body.Text, true)
	})
	send(api, http.MethodPut, http.StatusOK, "change-report-template", "/report-templates/{name}", "Make the next version of a template", func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"40"`
		Body templateText
	}) (*report.Template, error) {
		if _, err := s.Reports.Template(ctx, s.scope(ctx), in.Name); err != nil {
			return nil, err
		}
		t, err := s.Reports.CheckTemplate(ctx, s.scope(ctx), in.Body.Text)
		if err != nil {
			return nil, err
		}
		if t.Name != in.Name {
			return nil, fault.WithFields("the template calls itself "+t.Name, fault.Field{Path: "name", Message: "must be " + in.Name + ": a template keeps its name"})
		}
		return s.Reports.PutTemplate(ctx, s.scope(ctx), in.Body.Text, false)
	})
	send(api, http.MethodDelete, http.StatusOK, "remove-report-template", "/report-templates/{name}", "Remove a template; what was made from it stays", func(ctx context.Context, in *templateInput) (removedAnswer, error) {
		return removedAnswer{true}, s.Reports.RemoveTemplate(ctx, s.scope(ctx), in.Name)
	})
	post(api, "preview-report", "/report-previews", "Show a report, or a template that is not kept, without making a file", s.previewReport)

	get(api, "list-reports", "/reports", "Reports that were made or are being made, newest first", func(ctx context.Context, in *reportsInput) (reportsAnswer, error) {
		list, next, err := s.Reports.List(ctx, s.scope(ctx), report.Filter{Template: in.Template, Schedule: in.Schedule, Client: in.Client}, in.Limit, in.Cursor)
		return reportsAnswer{list, next}, err
	})
	send(api, http.MethodPost, http.StatusAccepted, "make-report", "/reports", "Begin to make a report; ask for it until it is done", func(ctx context.Context, in *struct {
		Body struct {
			ReportBody
			Format string `json:"format" doc:"pdf, xlsx, pptx, html, csv or json"`
		}
	}) (*report.Report, error) {
		req, err := in.Body.request()
		if err != nil {
			return nil, err
		}
		return s.Reports.Begin(ctx, s.scope(ctx), req, in.Body.Format, "")
	})
	get(api, "get-report", "/reports/{id}", "How far a report is, what it was made from and who got it", func(ctx context.Context, in *reportInput) (*report.Report, error) {
		return s.Reports.Get(ctx, s.scope(ctx), in.ID)
	})
	post(api, "cancel-report", "/reports/{id}/cancel", "Stop a report that is being made", func(ctx context.Context, in *reportInput) (*report.Report, error) {
		return s.Reports.Cancel(ctx, s.scope(ctx), in.ID)
	})
	post(api, "reproduce-report", "/reports/{id}/reproduce", "Make a report again from its inputs and compare it to the byte", func(ctx context.Context, in *reportInput) (*report.Reproduction, error) {
		return s.Reports.Reproduce(ctx, s.scope(ctx), in.ID, nil)
	})
	send(api, http.MethodDelete, http.StatusOK, "remove-report", "/reports/{id}", "Remove a report's file; that it was made stays on the record", func(ctx context.Context, in *struct {
		ID     string `path:"id" maxLength:"40"`
		Reason string `query:"reason" maxLength:"2000"`
	}) (removedAnswer, error) {
		return removedAnswer{true}, s.Reports.Remove(ctx, s.scope(ctx), in.ID, in.Reason)
	})
	binary := map[string]*huma.MediaType{}
	for _, f := range report.Formats {
		binary[f.Media] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	raw(api, huma.Operation{OperationID: "download-report", Method: http.MethodGet, Path: "/api/v1/reports/{id}/download", Summary: "The file of a report; that it was fetched is noted",
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		Responses:  map[string]*huma.Response{"200": {Description: "the bytes", Content: binary}, "409": {Description: "it is not done yet; problem details"}},
	}, s.downloadReport)
	s.brandRoutes(api)
	s.scheduleRoutes(api)
}

func (s *server) reportTemplate(ctx context.Context, in *templateInput) (reportTemplateAnswer, error) {
	t, err := s.Reports.Template(ctx, s.scope(ctx), in.Name)
	if err != nil {
		return reportTemplateAnswer{}, err
	}
	out := reportTemplateAnswer{Template: t, Text: t.Text, Versions: []templateVersion{}}
	if t.BuiltIn {
		return out, nil
	}
	versions, err := s.Reports.Versions(ctx, s.scope(ctx), in.Name)
	for _, v := range versions {
		out.Versions = append(out.Versions, versionOf(v))
	}
	return out, err
}

func versionOf(d definition.Definition) templateVersion {
	return templateVersion{d.Version, d.At.UTC().Format("2006-01-02T15:04:05Z"), string(d.Author), d.Removed}
}

func (s *server) previewReport(ctx context.Context, in *struct {
	Body struct {
		ReportBody
		Text string `json:"text,omitempty" maxLength:"65536" doc:"a template that is not kept, instead of template"`
	}
}) (previewAnswer, error) {
	req, err := in.Body.request()
	if err != nil {
		return previewAnswer{}, err
	}
	req.Text = in.Body.Text
	d, _, err := s.Reports.Document(ctx, s.scope(ctx), req, nil)
	if err != nil {
		return previewAnswer{}, err
	}
	out := previewAnswer{Title: d.Title, Client: d.Client, Period: d.Period, Document: d, Charts: []string{}}
	for _, section := range d.Sections {
		for _, b := range section.Blocks {
			if c, ok := b.(*document.Chart); ok {
				out.Charts = append(out.Charts, string(c.SVG(640, 320, d.Brand)))
			}
		}
	}
	return out, nil
}

func (s *server) downloadReport(ctx huma.Context) error {
	r, f, err := s.Reports.Open(ctx.Context(), s.scope(ctx.Context()), ctx.Param("id"))
	if err != nil {
		return err
	}
	defer f.Close()
	format, err := report.FormatOf(r.Format)
	if err != nil {
		return err
	}
	ctx.SetHeader("Content-Type", format.Media)
	ctx.SetHeader("Content-Disposition", `attachment; filename="`+r.FileName()+`"`)
	ctx.SetHeader("ETag", `"`+r.SHA256+`"`)
	ctx.SetHeader("Cache-Control", "private, no-store")
	_, err = io.Copy(ctx.BodyWriter(), f)
	return err
}

const assetType = "application/octet-stream"

// assetLimit bounds a logo or font, bytes.
const assetLimit = 9 << 20

func (s *server) brandRoutes(api huma.API) {
	get(api, "get-report-brand", "/report-brand", "Logo, colors, font, footer and cover letter of reports", func(ctx context.Context, _ *none) (report.Brand, error) {
		return s.Reports.BrandOf(ctx, s.scope(ctx))
	})
	send(api, http.MethodPut, http.StatusOK, "set-report-brand", "/report-brand", "Set how reports look", func(ctx context.Context, in *struct{ Body report.Brand }) (report.Brand, error) {
		return s.Reports.PutBrand(ctx, s.scope(ctx), in.Body)
	})
	raw(api, huma.Operation{OperationID: "keep-report-asset", Method: http.MethodPost, Path: "/api/v1/report-assets", Summary: "Keep a logo (PNG, JPEG) or font (TrueType) for the brand",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{assetType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}},
		Responses:   map[string]*huma.Response{"201": jsonResponse(api, "what it is called by", assetAnswer{})},
	}, s.keepAsset)
	raw(api, huma.Operation{OperationID: "get-report-asset", Method: http.MethodGet, Path: "/api/v1/report-assets/{hash}", Summary: "A kept logo or font",
		Parameters: []*huma.Param{{Name: "hash", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		Responses:  map[string]*huma.Response{"200": {Description: "the bytes", Content: map[string]*huma.MediaType{assetType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
	}, func(ctx huma.Context) error {
		content, err := s.Reports.Asset(ctx.Context(), s.scope(ctx.Context()), ctx.Param("hash"))
		if err != nil {
			return err
		}
		ctx.SetHeader("Content-Type", http.DetectContentType(content))
		ctx.SetHeader("Content-Disposition", "attachment")
		_, err = ctx.BodyWriter().Write(content)
		return err
	})
}

type assetAnswer struct {
	SHA256 string `json:"sha256"`
}

func (s *server) keepAsset(ctx huma.Context) error {
	content, err := io.ReadAll(ctx.BodyReader())
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return fault.Newf(fault.TooLarge, "the file is larger than %d MB, the most that is kept", assetLimit>>20)
		}
		return bodyFault(err)
	}
	hash, err := s.Reports.KeepAsset(ctx.Context(), s.scope(ctx.Context()), content)
	if err != nil {
		return err
	}
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetStatus(http.StatusCreated)
	return json.NewEncoder(ctx.BodyWriter()).Encode(assetAnswer{hash})
}

func (s *server) scheduleRoutes(api huma.API) {
	get(api, "list-schedules", "/schedules", "Reports that are made and sent by themselves", func(ctx context.Context, _ *none) (page[*report.Schedule], error) {
		list, err := s.Reports.Schedules(ctx, s.scope(ctx))
		return page[*report.Schedule]{Items: list}, err
	})
	get(api, "get-schedule", "/schedules/{id}", "One schedule", func(ctx context.Context, in *reportInput) (*report.Schedule, error) {
		return s.Reports.Schedule(ctx, s.scope(ctx), in.ID)
	})
	post(api, "add-schedule", "/schedules", "Have a report made and sent by itself", func(ctx context.Context, in *struct{ Body report.ScheduleSpec }) (*report.Schedule, error) {
		return s.Reports.AddSchedule(ctx, s.scope(ctx), in.Body)
	})
	send(api, http.MethodPut, http.StatusOK, "change-schedule", "/schedules/{id}", "Change, pause or go on with a schedule", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body report.ScheduleSpec
	}) (*report.Schedule, error) {
		return s.Reports.ChangeSchedule(ctx, s.scope(ctx), in.ID, in.Body)
	})
	send(api, http.MethodDelete, http.StatusOK, "remove-schedule", "/schedules/{id}", "Remove a schedule; what it made stays", func(ctx context.Context, in *reportInput) (removedAnswer, error) {
		return removedAnswer{true}, s.Reports.RemoveSchedule(ctx, s.scope(ctx), in.ID)
	})
	send(api, http.MethodPost, http.StatusAccepted, "run-schedule", "/schedules/{id}/run", "Run a schedule now, beside its times", func(ctx context.Context, in *reportInput) (*report.Schedule, error) {
		if err := s.Reports.RunNow(ctx, s.scope(ctx), in.ID); err != nil {
			return nil, err
		}
		return s.Reports.Schedule(ctx, s.scope(ctx), in.ID)
	})
}
