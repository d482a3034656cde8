// Package keyringtest gives tests of stores a box that seals.
package keyringtest

import (
	"testing"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/keyring"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// Box returns a box whose keys lie in db, under a master key that all tests share.
func Box(t testing.TB, db *metadb.DB) *secret.Box {
	t.Helper()
	master, err := secret.NewMaster(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(keyring.NewStore(db, time.Now), func() ([]secret.Master, error) { return []secret.Master{master}, nil }, time.Now)
}
