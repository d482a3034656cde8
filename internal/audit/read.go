package audit

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

// Read is a look at something that not everybody may see.
type Read struct {
	Class tenant.Class // of figures or columns: pay, cost, margin, personal
	What  Subject      // what was read: a measure, a dataset, a report. No names, no values
}

// Reads records who has seen what not everybody may see: for each actor and class the first
// look in each hour, so that reading does not flood the record. It is safe for concurrent
// use, and several processes record one entry between them.
type Reads struct {
	log *Log
	db  *metadb.DB

	mu   sync.Mutex
	hour string
	seen map[readKey]bool // of this hour: what needs no question to the database
}

type readKey struct {
	tenant tenant.Slug
	actor  tenant.Actor
	class  tenant.Class
}

// NewReads returns a recorder of reads.
func NewReads(log *Log, db *metadb.DB) *Reads { return &Reads{log: log, db: db} }

// Note records looks. Call it with the scope of the request, before what was read leaves the
// program, and do not hand it out when Note fails: what nobody recorded, nobody has seen. It
// costs a map look-up except for the first look in an hour. The program's own jobs are
// nobody: their looks are not recorded.
func (r *Reads) Note(ctx context.Context, scope tenant.Scope, reads ...Read) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if strings.HasPrefix(string(scope.Actor), "job:") {
		return nil
	}
	now := r.log.now()
	hour := metadb.Now(now.UTC().Truncate(time.Hour))
	for _, read := range reads {
		if read.Class == "" || r.known(hour, scope, read.Class) {
			continue
		}
		if err := r.record(ctx, scope, read, hour); err != nil {
			return fmt.Errorf("record of a read: %w", err)
		}
		r.remember(hour, scope, read.Class)
	}
	return nil
}

func (r *Reads) known(hour string, scope tenant.Scope, class tenant.Class) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hour == hour && r.seen[readKey{scope.Tenant, scope.Actor, class}]
}

func (r *Reads) remember(hour string, scope tenant.Scope, class tenant.Class) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hour != hour {
		r.hour, r.seen = hour, map[readKey]bool{}
	}
	r.seen[readKey{scope.Tenant, scope.Actor, class}] = true
}

func (r *Reads) record(ctx context.Context, scope tenant.Scope, read Read, hour string) error {
	return r.db.Transact(ctx, func(tx *metadb.Tx) error {
		id, err := metadb.EnsureTenant(ctx, tx, string(scope.Tenant), r.log.now())
		if err != nil {
			return err
		}
		first, err := tx.Exec(ctx, queries.Get("insert_read"), id, metadb.Text(string(scope.Actor)), string(read.Class), hour)
		if err != nil || first == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, queries.Get("forget_reads"), id, hour); err != nil {
			return err
		}
		_, err = r.log.Append(ctx, scope, tx, Event{Action: "read." + string(read.Class), Subject: read.What, Detail: map[string]string{"hour": hour[:13]}})
		return err
	})
}
