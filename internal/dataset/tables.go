package dataset

import "github.com/moatmetrics/moatmetrics/internal/warehouse"

// Tables that are not datasets of their own.
const (
	TablePeople  = "people"  // who a pseudonymous key is: the only place of staff's and contacts' names
	TableAliases = "aliases" // which client, staff member or product a source's key means
)

// PrivateTable returns the name of the side table that holds a dataset's private fields.
func PrivateTable(dataset string) string { return dataset + "_private" }

// Type returns the stored type of a kind.
func (k Kind) Type() warehouse.Type {
	switch k {
	case Date:
		return "DATE"
	case Timestamp:
		return "TIMESTAMP"
	case Money:
		return "DECIMAL(18,4)"
	case Price:
		return "DECIMAL(18,6)"
	case Hours:
		return "DECIMAL(9,4)"
	case Integer:
		return "BIGINT"
	case Boolean:
		return "BOOLEAN"
	case Share:
		return "DECIMAL(9,6)"
	}
	return "VARCHAR"
}

// provenance are the columns that say where a row came from, not what it says.
var provenance = []string{ColImport, ColRecord}

func systemColumns(names ...string) []warehouse.Column {
	columns := make([]warehouse.Column, len(names))
	for i, n := range names {
		t := warehouse.Type("VARCHAR")
		switch n {
		case ColRowID:
			t = "UUID"
		case ColImport, ColRecord:
			t = "BIGINT"
		case ColValidFrom, ColValidTo:
			t = "DATE"
		}
		columns[i] = warehouse.Column{ID: systemFieldIDs[n], Name: n, Type: t}
	}
	return columns
}

var plainSystem = []string{ColRowID, ColSource, ColSourceID, ColImport, ColRecord, ColAttributes}

// Columns returns the stored columns that the dataset's own fields fill, those of the
// side table when private.
func (d Dataset) Columns(private bool) []warehouse.Column {
	var columns []warehouse.Column
	for _, f := range d.Fields {
		if f.Column != "" && f.Column != ColValidFrom && f.Private == private {
			columns = append(columns, warehouse.Column{ID: f.FieldID, Name: f.Column, Type: f.columnType()})
		}
	}
	return columns
}

// columnType is the stored type of the field's column: keys made of other inputs are text.
func (f Field) columnType() warehouse.Type {
	switch f.Column {
	case ColClient, ColStaff, ColPerson:
		return "VARCHAR"
	}
	return f.Kind.Type()
}

// Table declares the dataset's stored table.
func (d Dataset) Table() warehouse.Table {
	system := plainSystem
	if d.Effective {
		system = append(append([]string{}, plainSystem...), ColValidFrom, ColValidTo)
	}
	return warehouse.Table{Name: d.Name, Month: d.Month, Effective: d.Effective, Provenance: provenance,
		Columns: append(systemColumns(system...), d.Columns(false)...)}
}

// privateTable declares the side table of the dataset's private fields; false when there
// are none. Its row_id is the main row's; for effective tables the entity's, without a
// first day.
func (d Dataset) privateTable() (warehouse.Table, bool) {
	private := d.Columns(true)
	if len(private) == 0 {
		return warehouse.Table{}, false
	}
	columns := systemColumns(plainSystem...)
	if f, ok := d.Field(d.Month); ok {
		columns = append(columns, warehouse.Column{ID: f.FieldID, Name: f.Column, Type: f.columnType()})
	}
	return warehouse.Table{Name: PrivateTable(d.Name), Month: d.Month, Provenance: provenance, Columns: append(columns, private...)}, true
}

var peopleTable = warehouse.Table{Name: TablePeople, Provenance: provenance, Columns: append(systemColumns(plainSystem...),
	warehouse.Column{ID: 10, Name: ColPerson, Type: "VARCHAR"},
	warehouse.Column{ID: 11, Name: "kind", Type: "VARCHAR"}, // "staff" or "contact"
	warehouse.Column{ID: 12, Name: "name", Type: "VARCHAR"},
	warehouse.Column{ID: 13, Name: "email", Type: "VARCHAR"})}

var aliasTable = warehouse.Table{Name: TableAliases, Provenance: provenance, Columns: append(systemColumns(plainSystem...),
	warehouse.Column{ID: 10, Name: "kind", Type: "VARCHAR"}, // "client", "staff" or "product"; with "_apart" what the key does not mean
	warehouse.Column{ID: 11, Name: "key", Type: "VARCHAR"},
	warehouse.Column{ID: 12, Name: "canonical", Type: "VARCHAR"},
	warehouse.Column{ID: 13, Name: "how", Type: "VARCHAR"}, // "equal", "id", "match" or "person"; null in rows of before there was this column
	warehouse.Column{ID: 14, Name: "score", Type: "DECIMAL(9,6)"})}

// Tables declares everything this package stores: each dataset's table, the side tables
// of private fields, people and aliases.
func Tables() []warehouse.Table {
	var tables, private []warehouse.Table
	for _, d := range datasets {
		tables = append(tables, d.Table())
		if t, ok := d.privateTable(); ok {
			private = append(private, t)
		}
	}
	return append(append(tables, private...), peopleTable, aliasTable)
}
