package match

import "strings"

// This file says how alike two words are.

// joint compares words written apart with one word.
func joint(apart []token, one token) float64 {
	n := 0
	for _, t := range apart {
		n += len(t.text)
	}
	if n < 4 || n > len(one.text)+1 || n < len(one.text)-1 || one.class == number {
		return 0
	}
	joined := texts(apart, "")
	if joined == one.text {
		return 0.99
	}
	if len(joined) >= 8 && edits(joined, one.text, 1) <= 1 {
		return 0.92
	}
	return 0
}

// similar is the inner measure: Jaro-Winkler of at least 0.9 with few edits (1 from four letters on,
// 2 from ten, 3 from fifteen), the same sound, a cut word, or an initial. Digits are never similar.
func similar(a, b token) (float64, string) {
	s, t := a.text, b.text
	if len(s) > len(t) {
		s, t = t, s
	}
	if a.class == number || b.class == number || a.class == stop && b.class == stop {
		return 0, ""
	}
	if len(s) == 1 {
		if len(t) > 1 && s[0] == t[0] && a.class != stop && b.class != stop {
			return 0.80, "initial"
		}
		return 0, ""
	}
	if len(s) >= 3 && t == s+"s" {
		return 0.97, "plural"
	}
	if len(s) >= 5 && len(t) >= len(s)+2 && strings.HasPrefix(t, s) {
		return 0.92, "cut"
	}
	if len(s) < 4 || len(t)-len(s) > 3 {
		return 0, ""
	}
	allowed := 1
	switch n := len(t); {
	case n >= 15:
		allowed = 3
	case n >= 10:
		allowed = 2
	}
	if edits(s, t, allowed) <= allowed {
		jw := jaroWinkler(s, t)
		if jw < 0.9 && s[0] == t[0] && len(s) >= 4 {
			jw = 0.9
		}
		if jw >= 0.9 {
			return min(jw, 0.98), "spelling"
		}
	}
	if len(s) >= 5 && sound(s) == sound(t) {
		return 0.92, "sound"
	}
	return 0, ""
}

// jaroWinkler is the similarity of Winkler (1990) with prefix scale 0.1 and at most 4 prefix letters,
// on bytes: folded text is mostly ASCII.
func jaroWinkler(s, t string) float64 {
	if s == t {
		return 1
	}
	if len(s) == 0 || len(t) == 0 {
		return 0
	}
	var bufS, bufT [64]bool
	usedS, usedT := bufS[:], bufT[:]
	if len(s) > 64 || len(t) > 64 {
		usedS, usedT = make([]bool, len(s)), make([]bool, len(t))
	}
	window := max(0, max(len(s), len(t))/2-1)
	matches := 0
	for i := range len(s) {
		for j := max(0, i-window); j < min(len(t), i+window+1); j++ {
			if !usedT[j] && s[i] == t[j] {
				usedS[i], usedT[j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	swapped, j := 0, 0
	for i := range len(s) {
		if !usedS[i] {
			continue
		}
		for !usedT[j] {
			j++
		}
		if s[i] != t[j] {
			swapped++
		}
		j++
	}
	m := float64(matches)
	jaro := (m/float64(len(s)) + m/float64(len(t)) + (m-float64(swapped)/2)/m) / 3
	prefix := 0
	for prefix < min(4, len(s), len(t)) && s[prefix] == t[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}

// edits is the optimal string alignment distance (Damerau 1964) on bytes, or most+1 when it is greater.
func edits(s, t string, most int) int {
	if max(len(s), len(t))-min(len(s), len(t)) > most {
		return most + 1
	}
	for len(s) > 0 && len(t) > 0 && s[0] == t[0] {
		s, t = s[1:], t[1:]
	}
	for len(s) > 0 && len(t) > 0 && s[len(s)-1] == t[len(t)-1] {
		s, t = s[:len(s)-1], t[:len(t)-1]
	}
	if len(s) == 0 || len(t) == 0 {
		return max(len(s), len(t))
	}
	if most <= 1 {
		if len(s) == 1 && len(t) == 1 || len(s) == 2 && len(t) == 2 && s[0] == t[1] && s[1] == t[0] {
			return 1
		}
		return most + 1
	}
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			change := 1
			if s[i-1] == t[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(t)], most+1)
}

// sound is a rough phonetic code over languages, after the idea of Soundex (Russell 1918): letters that
// are written for each other become one, doubled letters too.
func sound(s string) string {
	out := make([]byte, 0, len(s)+2)
	put := func(b ...byte) {
		for _, c := range b {
			if len(out) == 0 || out[len(out)-1] != c {
				out = append(out, c)
			}
		}
	}
	for i := 0; i < len(s); i++ {
		h := i+1 < len(s) && s[i+1] == 'h' // ph, th, ch, kh
		switch c := s[i]; c {
		case 'p':
			if h {
				put('f')
			} else {
				put('p')
			}
		case 't', 'k':
			put(c)
		case 'c', 'q':
			put('k')
		case 'x':
			put('k', 's')
		case 'z':
			put('s')
		case 'w':
			put('v')
		case 'y', 'j':
			put('i')
		default:
			put(c)
			continue
		}
		if h {
			i++
		}
	}
	return string(out)
}
