package report

// Covers is covers for tests.
var Covers = covers
