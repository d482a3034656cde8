package httpapi

// Needs is the action of each route.
var Needs = needs

// Pages are the addresses beside the API with what they need.
var Pages = pages
