package keyring

// Queries are the statements of the package.
var Queries = queries
