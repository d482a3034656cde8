package workspace

// Queries are prepared on both engines by a test.
var Queries = queries

// NPS is tested on its own.
var NPS = nps
