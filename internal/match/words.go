package match

import "slices"

// Words are the folded words of a text, in order, nothing left out and nothing written out:
// what somebody types is not yet a name.
func Words(text string) []string {
	var out []string
	for _, t := range split(text) {
		out = append(out, t.text)
	}
	return slices.Clip(out)
}

// Alike says in [0, 1] how alike two folded words are: 1 when they are the same, else the
// spelling and sound of [Corpus.Compare], 0 when they are not alike.
func Alike(a, b string) float64 {
	if a == b {
		return 1
	}
	score, _ := similar(token{text: a, class: classOf(a)}, token{text: b, class: classOf(b)})
	return score
}

// classOf is number for what has a digit: digits are never similar.
func classOf(word string) class {
	for i := range len(word) {
		if word[i] >= '0' && word[i] <= '9' {
			return number
		}
	}
	return rare
}
