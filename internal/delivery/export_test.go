package delivery

import "github.com/moatmetrics/moatmetrics/internal/metadb"

// NamedQueries lets the tests prepare every statement on both engines.
func NamedQueries() metadb.Queries { return queries }

// What the tests of the standards call.
var (
	SealPushWith = sealPushWith
	Compose      = compose
	OneLine      = oneLine
	CheckName    = checkName
	ParseAddress = parseAddress
	Sign         = sign
)

// MaxAttempts is after how many attempts a delivery fails.
const MaxAttempts = maxAttempts
