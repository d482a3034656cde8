package sample

import (
	"strconv"
	"strings"
)

// The places and trades that client names are made of. They are generic words; none of
// the combinations is meant to be an existing firm.
var (
	places = []string{
		"Alder Creek", "Amber Hollow", "Ashgrove", "Bayview Point", "Birchwood Lane", "Blue Heron", "Bramble Hill", "Brightwater",
		"Cedar Ridge", "Clearbrook", "Copper Canyon", "Cottonwood", "Crane Landing", "Dogwood", "Eastgate", "Elm Harbor",
		"Fairhaven Street", "Fern Valley", "Flint River", "Foxglove", "Granite Falls", "Green Meadow", "Hawthorn", "Hazel Bend",
		"Heron Lake", "Hickory Row", "High Mesa", "Hollybrook", "Iron Bridge", "Juniper Flats", "Kestrel", "Lakeshore North",
		"Larkspur", "Lighthouse Row", "Linden Square", "Long Acre", "Maple Court", "Marigold", "Meadowlark", "Mill Pond",
		"Mossy Oak Lane", "North Quay", "Oak Terrace", "Old Orchard Road", "Otter Bay", "Pebble Beach Road", "Pine Hollow", "Plum Island",
		"Quarry Hill", "Quiet Cove", "Redstone Gap", "River Bend", "Rosewood", "Sandpiper", "Silver Birch", "Slate Mountain",
		"Snowberry", "South Pier", "Spruce Landing", "Stillwater", "Stone Arch", "Summer Hill", "Sycamore Grove", "Tallgrass",
		"Thistle Down", "Timberline", "Twin Forks", "Valley Forge Road", "Walnut Street", "Weatherby", "West Harbor", "Whitewater Bend",
		"Wild Rose", "Willow Park", "Windmill Lane", "Winterfield", "Wren Hollow", "Yarrow", "Yellow Pine", "Zephyr Hill",
	}
	trades = []struct{ trade, industry string }{
		{"Dental Group", "Healthcare"}, {"Law Offices", "Legal"}, {"Manufacturing", "Manufacturing"}, {"Accounting Partners", "Finance"},
		{"Veterinary Clinic", "Healthcare"}, {"Architects", "Architecture"}, {"Logistics", "Transportation"}, {"Community School", "Education"},
		{"Property Management", "Real Estate"}, {"Family Medicine", "Healthcare"}, {"Construction", "Construction"}, {"Insurance Agency", "Finance"},
		{"Food Distributors", "Wholesale"}, {"Physical Therapy", "Healthcare"}, {"Engineering", "Engineering"}, {"Furniture Makers", "Manufacturing"},
		{"Wealth Advisors", "Finance"}, {"Nonprofit Alliance", "Nonprofit"}, {"Auto Repair", "Retail"}, {"Title & Escrow", "Real Estate"},
		{"Brewing", "Manufacturing"}, {"Credit Union", "Finance"}, {"Garden Supply", "Retail"}, {"Eye Care", "Healthcare"},
		{"Plastics", "Manufacturing"}, {"Hotel Group", "Hospitality"}, {"Staffing", "Professional Services"}, {"Tile & Stone", "Wholesale"},
	}
	givenNames = []string{
		"Aaliyah", "Adrian", "Aisha", "Amara", "Andre", "Anika", "Beatriz", "Benjamin", "Camille", "Carlos", "Chen", "Claire",
		"Dana", "Darius", "Diego", "Elena", "Elias", "Emeka", "Fatima", "Felix", "Grace", "Hana", "Hassan", "Ines",
		"Isaac", "Jamal", "Jasmine", "Joon", "Kavya", "Kenji", "Leila", "Liam", "Lucia", "Malik", "Marisol", "Mei",
		"Miguel", "Nadia", "Nikhil", "Noah", "Olivia", "Omar", "Priya", "Quinn", "Rafael", "Rosa", "Ruth", "Sanjay",
		"Sasha", "Simone", "Sofia", "Tariq", "Tessa", "Thuy", "Viktor", "Wei", "Yara", "Yusuf", "Zoe",
	}
	familyNames = []string{
		"Abara", "Ahmed", "Alvarez", "Andersson", "Baptiste", "Bauer", "Begum", "Brooks", "Castillo", "Chaudhry", "Cohen", "Cruz",
		"Dang", "Delgado", "Diallo", "Ferreira", "Fischer", "Flores", "Garner", "Haddad", "Hughes", "Ibrahim", "Ivanova", "Jansen",
		"Jimenez", "Kaplan", "Kapoor", "Kim", "Kowalski", "Laurent", "Lindqvist", "Lopez", "Mbeki", "Mehta", "Mendoza", "Morales",
		"Nakamura", "Nguyen", "Novak", "Okafor", "Ortiz", "Osei", "Park", "Patel", "Pereira", "Quist", "Rahman", "Reyes",
		"Rivera", "Rossi", "Sato", "Schneider", "Silva", "Tanaka", "Torres", "Tran", "Turner", "Vargas", "Walker", "Yilmaz", "Zhang",
	}
)

// internalClient is the firm itself: its own time and overhead are booked to it.
const internalClient = "Northwind Managed IT (internal)"

// clientNames returns n different names with their industries, in the stream's order.
func clientNames(d dice, n int) (names, industries []string) {
	where := make([]int, len(places))
	for i := range where {
		where[i] = i
	}
	shuffle(d, where)
	turn := d.upTo(len(trades))
	for i := range n {
		// Each place comes once before any comes again, then with another trade.
		t := trades[(i+turn+i/len(places)*5)%len(trades)]
		name := places[where[i%len(places)]] + " " + t.trade
		if again := i / (len(places) * len(trades)); again > 0 {
			name += " " + strconv.Itoa(again+1)
		}
		names = append(names, name)
		industries = append(industries, t.industry)
	}
	return unique(names), industries
}

// personNames returns n different names of people.
func personNames(d dice, n int) []string {
	names := make([]string, 0, n)
	given, family := d.upTo(len(givenNames)), d.upTo(len(familyNames))
	for i := range n {
		g := (given + i) % len(givenNames)
		f := (family + i*7 + i/len(givenNames)/len(familyNames)) % len(familyNames)
		names = append(names, givenNames[g]+" "+familyNames[f])
	}
	return unique(names)
}

// unique appends a number to a name that was there before.
func unique(names []string) []string {
	seen := make(map[string]int, len(names))
	for i, name := range names {
		if seen[name]++; seen[name] > 1 {
			names[i] = name + " " + strconv.Itoa(seen[name])
		}
	}
	return names
}

// domainOf returns a mail domain for a name, below the reserved top-level domain "example".
func domainOf(name string) string {
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	return letters + ".example"
}

// emailOf returns first.last@domain.
func emailOf(name, domain string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@" + domain
}
