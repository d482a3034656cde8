package httpapi

// Needs is the action of each route.
var Needs = needs

// Queries are prepared on both engines by a test.
var Queries = queries

// Pages are the addresses beside the API with what they need.
var Pages = pages
