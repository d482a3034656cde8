package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"runtime"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Bounds of passwords, in characters. There are no rules of what they are made of: NIST SP
// 800-63B, section 3.1.1.2.
const (
	minPassword = 12
	maxPassword = 128
)

// Cost of argon2id (RFC 9106): 46 MiB is the memory of OWASP's first choice, two passes
// instead of one bring a sign-in to about 100 ms.
const (
	argonTime    = 2
	argonMemory  = 46 << 10 // KiB
	argonThreads = 1
	saltBytes    = 16
	keyBytes     = 32
)

// breached are the first five bytes of the SHA-256 of passwords that many people have,
// sorted. See breached.LICENSE for where they come from.
//
//go:embed breached.bin
var breached []byte

const breachedBytes = 5

// prepared is a password in the one form that it is hashed and compared in: keyboards
// write the same letter in several ways, NFKC in one.
func prepared(password string) string { return norm.NFKC.String(password) }

// CheckPassword returns an Invalid fault unless a password is long enough and not one that
// many people have, alone, repeated, or with figures and signs around it, nor the name or
// address of whose it is.
func CheckPassword(password, email, name string) error {
	if !utf8.ValidString(password) {
		return fault.Newf(fault.Invalid, "the password is not readable text: type it again")
	}
	p := prepared(password)
	switch n := utf8.RuneCountInString(p); {
	case n < minPassword:
		return fault.Newf(fault.Invalid, "the password has %d characters, %d are needed: three or four words make a good one", n, minPassword)
	case n > maxPassword:
		return fault.Newf(fault.Invalid, "the password has %d characters, %d are the most", n, maxPassword)
	}
	low := strings.ToLower(p)
	core := strings.TrimFunc(low, func(r rune) bool { return !unicode.IsLetter(r) })
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	for _, own := range []string{local, strings.ToLower(email), strings.ToLower(name), strings.ToLower(strings.ReplaceAll(name, " ", "")), "moatmetrics"} {
		if own != "" && (unit(low) == own || core == own || unit(core) == own) {
			return fault.Newf(fault.Invalid, "the password is made of your name, your address or the name of this program: choose another")
		}
	}
	for _, candidate := range []string{low, unit(low), core, unit(core)} {
		if common(candidate) {
			return fault.Newf(fault.Invalid, "many people have this password, or it is one with a few signs added, and it is tried first: choose another, such as three or four words")
		}
	}
	return nil
}

// unit is the shortest text that p is a repetition of, p itself when it is none.
func unit(p string) string {
	for n := 1; n <= len(p)/2; n++ {
		if len(p)%n == 0 && strings.Repeat(p[:n], len(p)/n) == p {
			return p[:n]
		}
	}
	return p
}

func common(p string) bool {
	if utf8.RuneCountInString(p) < 4 { // one or two letters, repeated
		return true
	}
	sum := sha256.Sum256([]byte(p))
	n := len(breached) / breachedBytes
	at := func(i int) []byte { return breached[i*breachedBytes : (i+1)*breachedBytes] }
	i := sort.Search(n, func(i int) bool { return bytes.Compare(at(i), sum[:breachedBytes]) >= 0 })
	return i < n && bytes.Equal(at(i), sum[:breachedBytes])
}

// hashing bounds how many passwords are hashed at a time: each takes 46 MiB.
var hashing = make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))

func derive(ctx context.Context, password string, salt []byte, time, memory uint32, threads uint8, n uint32) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return nil, fault.Wrapf(fault.Canceled, ctx.Err(), "too many people sign in at once: try again")
	}
	return argon2.IDKey([]byte(prepared(password)), salt, time, memory, threads, n), nil
}

// hashPassword returns what is kept of a password, in the PHC form that names its cost.
func hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	key, err := derive(ctx, password, salt, argonTime, argonMemory, argonThreads, keyBytes)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// dummy is the hash that a password is compared with where there is none to compare with,
// so that the answer takes as long. No password has it: its key is not derived from one.
var dummy = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
	base64.RawStdEncoding.EncodeToString(make([]byte, saltBytes)), base64.RawStdEncoding.EncodeToString(make([]byte, keyBytes)))

// samePassword compares a password with what is kept of one. It takes the same time for
// every answer, also when kept is "".
func samePassword(ctx context.Context, kept, password string) (bool, error) {
	is := 1
	if kept == "" {
		kept, is = dummy, 0
	}
	if utf8.RuneCountInString(password) > maxPassword { // hashing megabytes would cost more
		password, is = "", 0
	}
	parts := strings.Split(kept, "$")
	var version int
	var memory, time uint32
	var threads uint8
	if len(parts) != 6 {
		return false, fmt.Errorf("a kept password cannot be read")
	}
	_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
	_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads)
	salt, err3 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err4 := base64.RawStdEncoding.DecodeString(parts[5])
	if parts[1] != "argon2id" || version != argon2.Version || err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(want) == 0 {
		return false, fmt.Errorf("a kept password cannot be read")
	}
	got, err := derive(ctx, password, salt, time, memory, threads, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want)&is == 1, nil
}
