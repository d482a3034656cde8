package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/inbox"
)

type sourcePath struct {
	ID string `path:"id" maxLength:"100" doc:"id or name"`
}

type sourceFilePath struct {
	ID   string `path:"id" maxLength:"100" doc:"id or name"`
	File string `path:"file" maxLength:"40"`
}

// SourceFilesInput asks for a page of a source's files.
type SourceFilesInput struct {
	Paging
	ID     string `path:"id" maxLength:"100" doc:"id or name"`
	Status string `query:"status" enum:"fetched,importing,imported,duplicate,quarantined,released,dismissed" doc:"all when left out"`
}

type releaseBody struct {
	Mapping *dataset.Mapping `json:"mapping,omitempty" doc:"how the file is read; as its source says when left out"`
}

func (s *server) sourceRoutes(api huma.API) {
	get(api, "list-sources", "/sources", "Where files come from by themselves", func(ctx context.Context, _ *none) (page[inbox.Source], error) {
		list, err := s.Inbox.Sources(ctx, s.scope(ctx))
		return page[inbox.Source]{Items: list}, err
	})
	sendChecked(api, http.MethodPost, http.StatusCreated, "create-source", "/sources", "Name a source; nothing is connected to yet", func(ctx context.Context, in *struct{ Body strictly[inbox.Spec] }) (inbox.Source, error) {
		return s.Inbox.Add(ctx, s.scope(ctx), in.Body.is)
	})
	get(api, "get-source", "/sources/{id}", "One source: how it is, and when it runs next", func(ctx context.Context, in *sourcePath) (inbox.Source, error) {
		return s.Inbox.Source(ctx, s.scope(ctx), in.ID)
	})
	sendChecked(api, http.MethodPut, http.StatusOK, "change-source", "/sources/{id}", "Replace what was said about a source; files that were seen stay seen", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"100"`
		Body strictly[inbox.Spec]
	}) (inbox.Source, error) {
		return s.Inbox.Change(ctx, s.scope(ctx), in.ID, in.Body.is)
	})
	act(api, http.MethodDelete, "delete-source", "/sources/{id}", "Forget a source; what it imported stays", func(ctx context.Context, in *sourcePath) error {
		return s.Inbox.Remove(ctx, s.scope(ctx), in.ID)
	})
	post(api, "test-source", "/sources/{id}/test", "Connect and list the files; nothing is imported", func(ctx context.Context, in *sourcePath) (page[inbox.Listing], error) {
		list, err := s.Inbox.Test(ctx, s.scope(ctx), in.ID)
		return page[inbox.Listing]{Items: list}, err
	})
	post(api, "run-source", "/sources/{id}/run", "Import what is new at a source now; the answer comes when that is done", func(ctx context.Context, in *sourcePath) (inbox.RunResult, error) {
		return s.Inbox.Run(ctx, s.scope(ctx), in.ID)
	})
	get(api, "list-source-files", "/sources/{id}/files", "What became of a source's files, newest first", func(ctx context.Context, in *SourceFilesInput) (page[inbox.File], error) {
		list, err := s.Inbox.Files(ctx, s.scope(ctx), in.ID, inbox.FileStatus(in.Status), in.Limit, in.Cursor)
		out := page[inbox.File]{Items: list}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	sendChecked(api, http.MethodPost, http.StatusOK, "release-source-file", "/sources/{id}/files/{file}/release", "Let the next run try a file again", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"100"`
		File string `path:"file" maxLength:"40"`
		Body strictly[releaseBody]
	}) (inbox.File, error) {
		return s.Inbox.Release(ctx, s.scope(ctx), in.ID, in.File, in.Body.is.Mapping)
	})
	post(api, "dismiss-source-file", "/sources/{id}/files/{file}/dismiss", "Take a file out of quarantine without importing it", func(ctx context.Context, in *sourceFilePath) (inbox.File, error) {
		return s.Inbox.Dismiss(ctx, s.scope(ctx), in.ID, in.File)
	})
}
