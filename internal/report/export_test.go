package report

// Covers is covers for tests.
var Covers = covers

// NextRun is nextRun for tests.
var NextRun = nextRun
