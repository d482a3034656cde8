package definition

// Queries are prepared on both engines by a test.
var Queries = queries
