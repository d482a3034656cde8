package dataset

// Headers returns, for each field of a dataset, the header that fills it.
func Headers(dataset string, headers []string) map[string]string {
	d, _ := Find(dataset)
	bound, err := bindHeaders(d, headers, Mapping{})
	if err != nil {
		panic(err)
	}
	out := map[string]string{}
	for name, b := range bound {
		out[name] = headers[b.Columns[0]]
	}
	return out
}
