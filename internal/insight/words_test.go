package insight

import (
	"testing"

	"github.com/moatmetrics/moatmetrics/internal/quantity"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want string }{
		{inCurrency("USD", amount(d("1234567.005"))), "$1,234,567.00"},
		{inCurrency("", amount(d("1234567.015"))), "1,234,567.02"},
		{inCurrency("EUR", amount(d("-999.999"))), "−€1,000.00"},
		{inCurrency("GBP", amount(d("-0.001"))), "£0.00"},
		{inCurrency("CAD", amount(d("12"))), "CAD\u00a012.00"},
		{plain(d("38")), "38"},
		{plain(d("100")), "100"},
		{plain(d("12.50")), "12.5"},
		{plain(d("0")), "0"},
		{percent(d("0.16")), "16.0%"},
		{percent(d("-0.0634")), "−6.3%"},
		{percent(d("12.5")), "1,250.0%"},
		{percent(d("-0.0004")), "0.0%"},
		{inUnit(d("-12.5"), quantity.Hours), "−12.5 h"},
		{hundredths(-0.531), "−0.53"},
		{Say(d("-12"), quantity.MoneyPerMonth, "CAD"), "−CAD\u00a012.00 a month"},
		{inCurrency("USD", inUnit(d("52.1"), quantity.MoneyPerHour)), "$52.10 an hour"},
		{inCurrency("USD", inUnit(d("286"), quantity.MoneyPerMonth)), "$286.00 a month"},
		{inUnit(d("7.5"), quantity.Hours), "7.5 h"},
		{changeIn(d("-0.105"), quantity.Ratio), "10.5 points"},
		{months(1), "1 month"},
		{months(12), "12 months"},
		{monthName(quantity.NewDay(2026, 3, 1)), "March 2026"},
		{Subject{Dimension: "product", Value: "Planner", Within: &Subject{Dimension: "client", Value: "Bay Clinic"}}.String(), "Planner at Bay Clinic"},
		{Subject{Dimension: firm}.String(), "the firm"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}
