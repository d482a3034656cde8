package metric

// Stock reports whether a base measure is looked at on a day, such as seats, instead of
// added up over days.
func (c *Catalog) Stock(base string) bool {
	m, ok := c.byName[base]
	return ok && m.Base() && c.facts[m.Fact].Stock
}
