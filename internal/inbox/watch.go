package inbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/tenant"
)

const (
	// lookEvery is how often Watch looks for sources that are due.
	lookEvery = time.Second
	// maxRunning is how many sources Watch runs at once.
	maxRunning = 4
)

// Watch runs a tenant's sources when they are due, until ctx ends: watched folders when the
// system reports a change in them, and every Poll anyhow. A run that ctx cuts off goes on
// with the next Watch.
func (s *Service) Watch(ctx context.Context, scope tenant.Scope) error {
	if err := scope.Check(); err != nil {
		return err
	}
	scope.Actor = "job:inbox"
	var changed <-chan fsnotify.Event
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		// Polling sees every change too, only later.
		s.opt.Log.WarnContext(ctx, "changes of folders are not reported by the system", slog.Any("error", err))
	} else {
		defer watcher.Close()
		changed = watcher.Events
	}
	var runs sync.WaitGroup
	defer runs.Wait()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	touched := map[string]bool{} // folders in which something changed
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-changed:
			touched[watchedFolder(watcher, e.Name)] = true
			continue
		case <-tick.C:
		}
		list, err := s.Sources(ctx, scope)
		if err != nil {
			if ctx.Err() == nil {
				s.opt.Log.WarnContext(ctx, "sources cannot be listed", slog.Any("error", err))
			}
			continue
		}
		for _, src := range list {
			if src.Paused || src.NextRun == nil {
				continue
			}
			watched := src.Schedule == OnChange
			if watched && watcher != nil {
				_ = watcher.Add(src.Settings.Path) // a folder that is not there is polled until it is
			}
			change := watched && touched[src.Settings.Path] && src.Status != Retrying
			if (change || !src.NextRun.After(s.now())) && s.start(src.ID) {
				delete(touched, src.Settings.Path)
				runs.Go(func() { s.runDue(ctx, scope, src) })
			}
		}
	}
}

// watchedFolder is the watched folder in which a change was reported.
func watchedFolder(w *fsnotify.Watcher, name string) string {
	for _, dir := range w.WatchList() {
		if within(dir, name) {
			return dir
		}
	}
	return name
}

// start reports whether a source may run now in this process.
func (s *Service) start(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] || len(s.running) >= maxRunning {
		return false
	}
	s.running[id] = true
	return true
}

func (s *Service) runDue(ctx context.Context, scope tenant.Scope, src Source) {
	defer func() {
		s.mu.Lock()
		delete(s.running, src.ID)
		s.mu.Unlock()
	}()
	_, err := s.Run(ctx, scope, src.ID)
	if kind := fault.KindOf(err); err != nil && kind != fault.Conflict && kind != fault.Canceled {
		s.opt.Log.WarnContext(ctx, "source", slog.String("id", src.ID), slog.Any("error", err))
	}
}
