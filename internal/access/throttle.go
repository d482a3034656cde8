package access

import (
	"context"
	"fmt"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
)

// How many tries are free, then the wait doubles from a second on up to the longest. The
// counts are kept in the database: a restart does not reset them.
const (
	freePerAccount = 5
	freePerAddress = 20
	longestWait    = 15 * time.Minute
	forgetAfter    = 24 * time.Hour
)

// wait is how long nobody may try after n failures.
func wait(n, free int64) time.Duration {
	if n < free {
		return 0
	}
	if n-free >= 10 {
		return longestWait
	}
	return min(time.Second<<(n-free), longestWait)
}

// tries are what a try to sign in is counted under: an account, there or not, and the
// address that it comes from.
type tries struct{ account, address string }

func (s *Service) triesOf(account string, at Place) tries {
	return tries{s.digest("try account", account), s.digest("try address", at.Address)}
}

// try counts a try before it is looked at, so that many at once are counted too, and
// refuses it while the wait lasts.
func (s *Service) try(ctx context.Context, tx *metadb.Tx, account string, at Place) (tries, error) {
	of := s.triesOf(account, at)
	now := s.now()
	var failures [2]int64
	for i, subject := range []string{of.account, of.address} {
		var last, until string
		if _, err := tx.Exec(ctx, queries.Get("insert_failure"), subject, metadb.Now(now)); err != nil {
			return of, err
		}
		if err := tx.One(ctx, queries.Get("take_failure"), []any{subject}, &failures[i], &last, &until); err != nil {
			return of, err
		}
		if now.Sub(instant(last)) > forgetAfter {
			failures[i] = 0
		}
		if left := instant(until).Sub(now); left > 0 {
			return of, TooOften{left}
		}
	}
	for i, subject := range []string{of.account, of.address} {
		failures[i]++
		free := int64(freePerAccount)
		if i == 1 {
			free = freePerAddress
		}
		until := ""
		if d := wait(failures[i], free); d > 0 {
			until = metadb.Now(now.Add(d))
		}
		if _, err := tx.Exec(ctx, queries.Get("set_failure"), subject, failures[i], metadb.Now(now), until); err != nil {
			return of, err
		}
	}
	return of, nil
}

// succeeded forgets the failures of the account. Of the address only this try is taken
// back: whoever has one account must not get free tries at others.
func (s *Service) succeeded(ctx context.Context, tx *metadb.Tx, of tries) error {
	if _, err := tx.Exec(ctx, queries.Get("forget_failure"), of.account); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, queries.Get("ease_failure"), of.address)
	return err
}

// TooOften says that somebody tried too often and how long to wait.
type TooOften struct{ Wait time.Duration }

// Error says how long to wait.
func (t TooOften) Error() string { return fault.Message(t.Unwrap()) }

// Unwrap gives the fault that a user reads.
func (t TooOften) Unwrap() error {
	return fault.Newf(fault.TooOften, "too many tries: wait %s, then try again", seconds(t.Wait))
}

// Seconds is the wait in whole seconds, rounded up.
func (t TooOften) Seconds() int { return int((t.Wait + time.Second - 1) / time.Second) }

func seconds(d time.Duration) string {
	n := TooOften{d}.Seconds()
	if n == 1 {
		return "a second"
	}
	if n > 120 {
		return fmt.Sprintf("%d minutes", (n+59)/60)
	}
	return fmt.Sprintf("%d seconds", n)
}
