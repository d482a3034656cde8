package bucket_test

import (
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/moatmetrics/moatmetrics/internal/bucket"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/reach/reachtest"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// A proxy connects for whoever asks it, also where the guard lets nobody.
func TestABucketIsReachedWithoutAProxy(t *testing.T) {
	reachtest.BehindProxy(t, func(t *testing.T) {
		for _, endpoint := range []string{"https://store.invalid", "http://store.invalid"} {
			client, err := bucket.Open(t.Context(), bucket.Place{Endpoint: endpoint, Bucket: "exports", KeyID: "anna", Secret: secret.NewText("secret")}, reach.Guard{What: "a source"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.StatObject(t.Context(), "exports", "clients.csv", minio.StatObjectOptions{}); err == nil {
				t.Errorf("%s answers", endpoint)
			}
		}
	})
}
