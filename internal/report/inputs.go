package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moatmetrics/moatmetrics/internal/access"
	"github.com/moatmetrics/moatmetrics/internal/audit"
	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/definition"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/insight"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/metric"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
	"github.com/moatmetrics/moatmetrics/internal/warehouse"
)

// Inputs are everything that a report is made from. Two reports with the same inputs are the
// same to the byte.
type Inputs struct {
	Template string          `json:"template"` // the text
	Name     string          `json:"name"`
	Client   string          `json:"client,omitempty"`
	Currency string          `json:"currency,omitempty"`
	Period   quantity.Period `json:"period"`
	AsOf     quantity.Day    `json:"as_of"`
	Snapshot int64           `json:"snapshot"`
	// Epoch counts erasures: a person who was erased is in no report that is made again.
	Epoch       int64              `json:"epoch"`
	Audit       audit.Position     `json:"audit"`
	Definitions *definition.Book   `json:"definitions"`
	Settings    metric.Frozen      `json:"settings"`
	Thresholds  insight.Thresholds `json:"thresholds"`
	Firm        string             `json:"firm"`
	Brand       Brand              `json:"brand"`
	Rights      *tenant.Rights     `json:"rights"` // of who will read it; null sees everything
	Observed    Observed           `json:"observed"`
}

// Observed is what no snapshot holds, as it was when the report was made.
type Observed struct {
	DataThrough quantity.Day `json:"data_through"` // newest day of the data
	// Standings are what people made of findings, by the finding's identity: "open" or the verdict.
	Standings map[string]string      `json:"standings,omitempty"`
	Waiting   int                    `json:"waiting"` // proposals that wait for a decision
	Quality   *dataset.QualityReport `json:"quality,omitempty"`
	// Chain says what the verification of the record found, when the report is about it.
	Chain *Chain                  `json:"chain,omitempty"`
	Names map[tenant.Actor]string `json:"names,omitempty"`
}

// Chain is the outcome of verifying the record.
type Chain struct {
	Faults      []audit.Fault `json:"faults"`
	More        int64         `json:"more,omitempty"`
	Removed     int64         `json:"removed"`
	Checkpoints int           `json:"checkpoints"`
}

// SettingsHash stands for what the tenant set: definitions, thresholds, zone, brand.
func (in *Inputs) SettingsHash() string {
	return hashOf(in.Definitions, in.Settings, in.Thresholds, in.Firm, in.Brand, in.Currency)
}

// Hash stands for all of the inputs.
func (in *Inputs) Hash() string { return hashOf(in) }

func hashOf(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		text, err := json.Marshal(p)
		if err != nil {
			panic(err) // all parts are plain data
		}
		h.Write(text)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Collect gathers what a report is made from: what is current, unless the request names
// another snapshot or day.
func (s *Service) Collect(ctx context.Context, scope tenant.Scope, req Request) (*Inputs, error) {
	t, err := s.template(ctx, scope, req)
	if err != nil {
		return nil, err
	}
	in := &Inputs{Template: t.Text, Name: t.Name, AsOf: req.AsOf, Snapshot: req.Snapshot, Thresholds: s.Insights.Thresholds(), Rights: scope.Rights}
	own := scope.Own()
	if err := s.freeze(ctx, own, in); err != nil {
		return nil, err
	}
	if req.Currency != "" {
		in.Currency = req.Currency
	}
	if err := s.settle(ctx, own, in); err != nil {
		return nil, err
	}
	if t.Audience == audienceClient {
		// The reader is the client, whoever asks: which client is settled with the asker's rights.
		w, err := s.world(scope, in)
		if err != nil {
			return nil, err
		}
		if in.Client, in.Period, err = s.subject(ctx, w, t, req, in.Currency); err != nil {
			return nil, err
		}
		if in.Rights, err = s.clientRights(ctx, scope.Tenant, in.Client); err != nil {
			return nil, err
		}
		return in, s.observe(ctx, own, t, in)
	}
	w, err := s.world(scope, in)
	if err != nil {
		return nil, err
	}
	if in.Client, in.Period, err = s.subject(ctx, w, t, req, in.Currency); err != nil {
		return nil, err
	}
	return in, s.observe(ctx, own, t, in)
}

// settle drops the conversion of amounts that are all in the wanted currency already: what is
// converted cannot be explained.
func (s *Service) settle(ctx context.Context, own tenant.Scope, in *Inputs) error {
	if in.Currency == "" {
		return nil
	}
	house, mixed, err := s.Metrics.House(ctx, own, warehouse.Snapshot(in.Snapshot))
	switch {
	case err != nil:
		return err
	case house == "" && !mixed: // nothing names a currency
		in.Settings.Unnamed, in.Currency = in.Currency, ""
	case house == in.Currency:
		in.Currency = ""
	}
	return nil
}

// clientRights are those of a client in the portal, less everything that is not for clients
// even where somebody changed the policies of the portal.
func (s *Service) clientRights(ctx context.Context, t tenant.Slug, client string) (*tenant.Rights, error) {
	r, err := s.Policies.Rights(ctx, t, access.ClientPortal, access.Limits{Clients: []string{client}})
	if err != nil {
		return nil, err
	}
	out := *r
	out.Clients = []string{client}
	out.Hidden = slices.Clone(tenant.Classes)
	slices.Sort(out.Hidden)
	return &out, nil
}

// subject settles the client and the period of a report.
func (s *Service) subject(ctx context.Context, w *world, t *Template, req Request, currency string) (client string, p quantity.Period, err error) {
	complete, err := w.insights.Complete(ctx, w.scope)
	if err != nil {
		return "", p, err
	}
	if !complete.Bounded() && !req.Period.Bounded() {
		// Nothing to report on yet: the month before the report's day stands for the period.
		day := w.today.Month()
		complete = quantity.Period{From: day.AddMonths(-1), To: day}
	}
	if p, err = periodOf(t.Period, req.Period, complete); err != nil {
		return "", p, err
	}
	switch {
	case req.Client != "" && !t.OfClient:
		return "", p, fault.WithFields(fmt.Sprintf("the report %s is about all clients", t.Name), fault.Field{Path: "client", Message: "leave the client out"})
	case req.Client != "":
		return req.Client, p, w.hasClient(ctx, req.Client)
	case t.OfClient:
		client, err = w.topClient(ctx, p, currency)
		return client, p, err
	}
	return "", p, nil
}

// freeze notes what is current of the tenant.
func (s *Service) freeze(ctx context.Context, own tenant.Scope, in *Inputs) error {
	var err error
	if in.Snapshot == 0 {
		current, err := s.Warehouse.Current(ctx, own)
		if err != nil {
			return err
		}
		in.Snapshot = int64(current)
	} else if _, err := s.Warehouse.Tables(ctx, own, warehouse.Snapshot(in.Snapshot)); err != nil {
		return err
	}
	in.Epoch = s.Warehouse.Epoch(own)
	if in.Definitions, err = s.Metrics.Definitions(ctx, own); err != nil {
		return err
	}
	if in.Settings, err = s.Metrics.SettingsNow(ctx, own); err != nil {
		return err
	}
	if in.AsOf.IsZero() {
		zone, err := s.Metrics.Zone(ctx, own)
		if err != nil {
			return err
		}
		in.AsOf = quantity.DayOf(s.opt.Now().In(zone))
	}
	set, err := s.Workspace.Settings(ctx, own)
	if err != nil {
		return err
	}
	in.Firm, in.Currency = set.Name, set.Currency
	if in.Brand, err = s.BrandOf(ctx, own); err != nil {
		return err
	}
	return s.DB.Read(ctx, func(tx *metadb.Tx) (err error) {
		in.Audit, err = s.Audit.Position(ctx, own, tx)
		return err
	})
}

// observe notes what no snapshot holds, as far as the template shows it.
func (s *Service) observe(ctx context.Context, own tenant.Scope, t *Template, in *Inputs) error {
	own.Snapshot = in.Snapshot
	r, err := s.Metrics.Run(ctx, own, metric.Query{Measures: []string{"hours_worked"}})
	if err != nil {
		return err
	}
	in.Observed.DataThrough = r.DataThrough
	for _, b := range t.blocks() {
		switch {
		case b.Findings != nil && in.Observed.Standings == nil:
			if err := s.standings(ctx, own, in); err != nil {
				return err
			}
		case b.Quality != nil && in.Observed.Quality == nil && in.Rights.Unlimited() && in.Rights.May(access.DataRead):
			q, err := s.Data.QualityReport(ctx, own)
			if err != nil {
				return err
			}
			in.Observed.Quality = &q
		case b.Audit != nil && in.Observed.Chain == nil && in.Rights.May(access.AuditRead):
			if err := s.chain(ctx, own, in); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) standings(ctx context.Context, own tenant.Scope, in *Inputs) error {
	reader := tenant.Scope{Tenant: own.Tenant, Actor: own.Actor, Rights: in.Rights} // counts nothing about others' clients
	list, err := s.Reviews.Standings(ctx, reader, insight.FindingReview)
	if err != nil {
		return err
	}
	in.Observed.Standings = map[string]string{}
	for _, p := range list {
		in.Observed.Standings[p.Subject] = "open"
		if p.Decision != nil {
			in.Observed.Standings[p.Subject] = p.Decision.Verdict
		} else {
			in.Observed.Waiting++
		}
	}
	return nil
}

func (s *Service) chain(ctx context.Context, own tenant.Scope, in *Inputs) error {
	r, err := s.Audit.Verify(ctx, own, s.DB)
	if err != nil {
		return err
	}
	in.Observed.Chain = &Chain{Faults: []audit.Fault{}, More: r.More, Removed: r.Removed, Checkpoints: r.Checkpoints}
	for _, f := range r.Faults {
		if f.Seq <= in.Audit.Seq {
			in.Observed.Chain.Faults = append(in.Observed.Chain.Faults, f)
		}
	}
	if s.opt.Names != nil {
		in.Observed.Names, err = s.opt.Names(ctx, own)
	}
	return err
}

// blocks are all blocks of a template.
func (t *Template) blocks() []BlockSpec {
	var out []BlockSpec
	for _, s := range t.Sections {
		out = append(out, s.Blocks...)
	}
	return out
}
