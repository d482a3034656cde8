package document

import "github.com/moatmetrics/moatmetrics/internal/fault"

// CheckFont returns an Invalid error for what cannot be a brand's own font.
func CheckFont(content []byte) error {
	if _, err := parseFont(content); err != nil {
		return fault.Newf(fault.Invalid, "this font cannot be used: %v", err)
	}
	return nil
}
