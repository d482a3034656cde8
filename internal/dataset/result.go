package dataset

import "github.com/moatmetrics/moatmetrics/internal/warehouse"

// ImportResult is what became of one file; its JSON is what import --json prints. Rows are
// records of the file: RowsRead = RowsAdded + RowsUpdated + RowsUnchanged + RowsRejected.
type ImportResult struct {
	File          string             `json:"file"`
	Dataset       string             `json:"dataset"`
	ImportID      int64              `json:"import_id"` // 0 for a dry run
	Snapshot      warehouse.Snapshot `json:"snapshot"`
	RowsRead      int64              `json:"rows_read"`
	RowsAdded     int64              `json:"rows_added"`
	RowsUpdated   int64              `json:"rows_updated"`
	RowsUnchanged int64              `json:"rows_unchanged"`
	RowsRejected  int64              `json:"rows_rejected"`
	RowsDeleted   int64              `json:"rows_deleted"` // stored rows that the file says are gone
	ToReview      int64              `json:"to_review"`    // names of which a person has to say what they mean
	Quality       Quality            `json:"quality"`
	Upload        string             `json:"upload,omitempty"`  // the kept original
	Applied       *Mapping           `json:"applied,omitempty"` // the mapping it was read with, when one was given
	Preview       *Preview           `json:"preview,omitempty"` // of a dry run
	Effect        []Effect           `json:"effect,omitempty"`  // of a dry run
	Dialect       Dialect            `json:"dialect"`
	Columns       []ColumnUse        `json:"columns"`
	Findings      []Finding          `json:"findings"`
	Rejects       []Reject           `json:"rejects"` // the first maxListed; Service.Rejects pages through all
}

// maxListed is how many rejects a result lists.
const maxListed = 10_000

// ColumnUse says what a column of the file was taken for.
type ColumnUse struct {
	Source     string  `json:"source"`     // header in the file
	Field      *string `json:"field"`      // null: kept as an attribute
	Confidence float64 `json:"confidence"` // 1: the field's own name or the mapping's word; 0 when not taken
	// Alternatives are other fields that it may mean, Evidence is why it was taken for Field.
	Alternatives []Alternative `json:"alternatives"`
	Evidence     []string      `json:"evidence"`
	Samples      []string      `json:"samples,omitempty"`    // its first different values; not kept with the import
	ParseRate    *float64      `json:"parse_rate,omitempty"` // share of its values that could be read, of fields that are no text
}

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // rows were not stored
	Warning Severity = "warning" // may make numbers wrong
	Info    Severity = "info"    // good to know
)

// Finding is something noticed about a file. Unless it is an error, its rows were stored
// all the same.
type Finding struct {
	Code       string   `json:"code"`
	Severity   Severity `json:"severity"`
	Message    string   `json:"message"`
	Column     string   `json:"column,omitempty"`
	Count      int64    `json:"count"`             // rows, or things, it is about
	Records    []int64  `json:"records,omitempty"` // the first records
	Suggestion string   `json:"suggestion,omitempty"`
	Fixes      []Fix    `json:"fixes,omitempty"`

	words []string // the words it is about
	again bool     // it is about rows that equal stored ones
}

func (l *load) add(f Finding) { l.findings = append(l.findings, f) }

// Quality scores an import: the parts are shares from 0 to 1, Score is their weighted
// geometric mean (see quality.go for the formulas). Parts that do not apply are absent.
type Quality struct {
	Score      float64            `json:"score"`
	Dimensions map[string]float64 `json:"dimensions"`
}
