package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Reproduction is a past report made again.
type Reproduction struct {
	Report *Report `json:"report"`
	SHA256 string  `json:"sha256"` // of what was made now
	Same   bool    `json:"same"`   // to the byte
	// Why says what may make the difference, "" when there is none.
	Why string `json:"why,omitempty"`
}

// Reproduce makes a past report again from its inputs and compares it with what was made
// then; w, when given, gets the file.
//
// Errors: NotFound when the inputs or the snapshot are not kept any more.
func (s *Service) Reproduce(ctx context.Context, scope tenant.Scope, id string, w io.Writer) (*Reproduction, error) {
	r, err := s.get(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	if r.State != Done {
		return nil, fault.Newf(fault.Conflict, "the report is %s: there is nothing to compare with", r.State)
	}
	in, err := s.inputs(ctx, scope, r)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	var to io.Writer = h
	if w != nil {
		to = io.MultiWriter(h, w)
	}
	if _, err := s.Write(ctx, scope, in, r.Format, to, nil); err != nil {
		return nil, err
	}
	out := &Reproduction{Report: r, SHA256: hex.EncodeToString(h.Sum(nil))}
	out.Same = out.SHA256 == r.SHA256
	switch {
	case out.Same:
	case s.Warehouse.Epoch(scope.Own()) != in.Epoch:
		out.Why = "a person was erased since: what concerned them is gone from the data"
	case r.Product != s.opt.Product:
		out.Why = fmt.Sprintf("it was made by version %s of the program, this is %s", r.Product, s.opt.Product)
	default:
		out.Why = "the same inputs gave another file: run moatmetrics verify, and report this as a fault of the program"
	}
	return out, nil
}
