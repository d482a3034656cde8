package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/notice"
	"github.com/moatmetrics/moatmetrics/internal/quantity"
	"github.com/moatmetrics/moatmetrics/internal/review"
)

// CommentOn says what a comment stands on: a proposal or finding by its id, a number by its
// measure, condition and period.
type CommentOn struct {
	Kind    string `query:"kind" json:"kind" enum:"proposal,finding,number" required:"true"`
	ID      string `query:"id" json:"id,omitempty" maxLength:"1000" doc:"of a proposal: its id; of a finding: its identity"`
	Measure string `query:"measure" json:"measure,omitempty" maxLength:"120"`
	Where   string `query:"where" json:"where,omitempty" maxLength:"4000"`
	From    string `query:"from" json:"from,omitempty" maxLength:"10"`
	To      string `query:"to" json:"to,omitempty" maxLength:"10"`
}

type newComment struct {
	CommentOn
	Text string `json:"text" minLength:"1" maxLength:"16000" doc:"up to 4,000 characters; @name mentions somebody of list-people"`
}

type commentText struct {
	Text string `json:"text" minLength:"1" maxLength:"16000"`
}

type commentPath struct {
	ID string `path:"id" maxLength:"40"`
}

// on returns what a comment stands on, with what people call it and where it is shown. A
// number's key is the same for all who write its condition in the same way.
func (s *server) on(ctx context.Context, in CommentOn) (review.On, error) {
	on := review.On{Kind: in.Kind, Key: strings.TrimSpace(in.ID)}
	panel := map[string]any{"kind": "finding", "of": on.Key}
	switch in.Kind {
	case review.OnProposal:
		return on, nil
	case review.OnFinding:
		on.Label = "a finding: " + strings.ReplaceAll(on.Key, "_", " ")
	case review.OnNumber:
		catalog, err := s.Metrics.For(ctx, s.scope(ctx))
		if err != nil {
			return on, err
		}
		m, err := catalog.Measure(in.Measure)
		if err != nil {
			return on, err
		}
		period, err := quantity.ParsePeriod(in.From, in.To)
		if err != nil {
			return on, err
		}
		if !period.Bounded() {
			return on, fault.WithFields("say of which period the number is", fault.Field{Path: "from", Message: "both ends of the period are needed"})
		}
		where := strings.TrimSpace(in.Where)
		on.Key = strings.Join([]string{m.Name, period.From.String(), period.To.String(), where}, "|")
		on.Label = m.Label + ", " + period.Words()
		if where != "" {
			on.Label += ", " + where
		}
		panel = map[string]any{"kind": "explain", "of": m.Name, "where": where, "days": map[string]string{"from": period.From.String(), "to": period.To.String()}}
	}
	text, err := json.Marshal(panel)
	on.Link = "/?panel=" + url.QueryEscape(string(text))
	return on, err
}

func (s *server) commentRoutes(api huma.API) {
	get(api, "list-comments", "/comments", "What was said on a proposal, a finding or a number, oldest first", func(ctx context.Context, in *CommentOn) (page[review.Comment], error) {
		on, err := s.on(ctx, *in)
		if err != nil {
			return page[review.Comment]{}, err
		}
		list, err := s.Reviews.Comments(ctx, s.scope(ctx), on)
		return page[review.Comment]{Items: list}, err
	})
	get(api, "count-comments", "/comments/count", "How many comments stand on each thing of a kind", func(ctx context.Context, in *struct {
		Kind string `query:"kind" enum:"proposal,finding,number" required:"true"`
	}) (map[string]int64, error) {
		return s.Reviews.CommentCounts(ctx, s.scope(ctx), in.Kind)
	})
	post(api, "add-comment", "/comments", "Say something; those who are mentioned are told", func(ctx context.Context, in *struct{ Body newComment }) (review.Comment, error) {
		on, err := s.on(ctx, in.Body.CommentOn)
		if err != nil {
			return review.Comment{}, err
		}
		return s.Reviews.Comment(ctx, s.scope(ctx), on, in.Body.Text)
	})
	put(api, "edit-comment", "/comments/{id}", "Change an own comment within 15 minutes", func(ctx context.Context, in *struct {
		ID   string `path:"id" maxLength:"40"`
		Body commentText
	}) (review.Comment, error) {
		return s.Reviews.EditComment(ctx, s.scope(ctx), in.ID, in.Body.Text)
	})
	act(api, http.MethodDelete, "delete-comment", "/comments/{id}", "Remove an own comment within 15 minutes", func(ctx context.Context, in *commentPath) error {
		return s.Reviews.DeleteComment(ctx, s.scope(ctx), in.ID)
	})
}

// NoticesInput asks for a page of notices.
type NoticesInput struct {
	Paging
	Unread bool `query:"unread" doc:"only those that who asks has not read"`
}

type noticePath struct {
	ID string `path:"id" maxLength:"40"`
}

type noticeCount struct {
	Unread int64 `json:"unread"`
}

func (s *server) noticeRoutes(api huma.API) {
	get(api, "list-notices", "/notices", "What needs who asks, or everybody, newest first", func(ctx context.Context, in *NoticesInput) (page[notice.Notice], error) {
		list, err := s.Notices.List(ctx, s.scope(ctx), in.Unread, in.Limit, in.Cursor)
		out := page[notice.Notice]{Items: list}
		if len(list) == in.Limit {
			out.Next = in.Cursor + int64(in.Limit)
		}
		return out, err
	})
	get(api, "count-notices", "/notices/count", "How many notices who asks has not read", func(ctx context.Context, _ *none) (noticeCount, error) {
		n, err := s.Notices.Unread(ctx, s.scope(ctx))
		return noticeCount{n}, err
	})
	act(api, http.MethodPost, "read-notice", "/notices/{id}/read", "Mark a notice as read by who asks", func(ctx context.Context, in *noticePath) error {
		return s.Notices.Read(ctx, s.scope(ctx), in.ID)
	})
	act(api, http.MethodPost, "read-notices", "/notices/read", "Mark all notices as read by who asks", func(ctx context.Context, _ *none) error {
		return s.Notices.ReadAll(ctx, s.scope(ctx))
	})
}
