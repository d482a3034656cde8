package httpapi

// Needs is the action of each route.
var Needs = needs
