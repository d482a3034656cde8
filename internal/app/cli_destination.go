package app

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/moatmetrics/moatmetrics/internal/delivery"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

func (c *cli) destinationsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "destinations", Short: "Say where reports and alerts are sent: mail servers, folders, S3 buckets, webhooks", Args: cobra.NoArgs,
		Example: "  moatmetrics destinations add office --kind email --host smtp.example.com --user reports --password-file smtp.pass --from reports@example.com\n  moatmetrics destinations test office --to anna@example.com\n  moatmetrics destinations deliveries --status failed",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listDestinations) },
	}
	list := &cobra.Command{Use: "list", Short: "List them", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.with(cmd, c.listDestinations) }}
	remove := &cobra.Command{Use: "remove DESTINATION", Short: "Forget one; what waits for it is canceled", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			if err := a.Delivery.Remove(ctx, a.Scope, args[0]); err != nil {
				return err
			}
			return c.done("%s is removed", args[0])
		})
	}}
	cmd.AddCommand(list, c.destinationAddCommand(), c.destinationChangeCommand(), c.destinationTestCommand(), remove, c.deliveriesCommand())
	for _, v := range []struct {
		use, short, done string
		do               func(*App, context.Context, string) error
	}{
		{"cancel DELIVERY", "End a delivery that waits", "canceled", func(a *App, ctx context.Context, id string) error {
			_, err := a.Delivery.Cancel(ctx, a.Scope, id)
			return err
		}},
		{"retry DELIVERY", "Try a delivery that failed or was canceled again", "it is tried again", func(a *App, ctx context.Context, id string) error {
			_, err := a.Delivery.Retry(ctx, a.Scope, id)
			return err
		}},
	} {
		cmd.AddCommand(&cobra.Command{Use: v.use, Short: v.short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, a *App) error {
				if err := v.do(a, ctx, args[0]); err != nil {
					return err
				}
				return c.done("%s", v.done)
			})
		}})
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
	return cmd
}

// destinationFlags are the flags that say what a destination is.
type destinationFlags struct {
	spec                    delivery.Spec
	kind, tls, passwordFile string
}

// bind makes the flags; what spec holds already are their defaults.
func (d *destinationFlags) bind(f *pflag.FlagSet) {
	set := &d.spec.Settings
	f.StringVar(&d.kind, "kind", string(cmp.Or(d.spec.Kind, delivery.Email)), "email, folder, s3 or webhook")
	f.StringVar(&set.Host, "host", set.Host, "mail server")
	f.IntVar(&set.Port, "port", set.Port, "its port (default 587, 465 with --tls tls)")
	f.StringVar(&d.tls, "tls", string(set.TLS), "encryption of e-mail: starttls, tls or none (default starttls, tls on port 465)")
	f.StringVar(&set.User, "user", set.User, "user on the mail server; of s3 the access key's id")
	f.StringVar(&d.passwordFile, "password-file", "", "file that holds the password, the access key's secret, or what signs requests to a webhook")
	f.StringVar(&set.From, "from", set.From, "address that e-mail comes from")
	f.StringVar(&set.FromName, "from-name", set.FromName, "name that e-mail comes from (default MoatMetrics)")
	f.StringVar(&set.Path, "path", set.Path, "the folder, under one of delivery_folders; of s3 the prefix")
	f.StringVar(&set.Endpoint, "endpoint", set.Endpoint, "address of s3, such as https://s3.eu-central-1.amazonaws.com")
	f.StringVar(&set.Region, "region", set.Region, "region of s3 (default us-east-1)")
	f.StringVar(&set.Bucket, "bucket", set.Bucket, "bucket of s3")
	f.StringVar(&set.URL, "url", set.URL, "address of a webhook, with https")
}

// read completes the spec with what the flags name: kinds, files, a folder from here on.
func (d *destinationFlags) read(f *pflag.FlagSet) error {
	d.spec.Kind, d.spec.Settings.TLS = delivery.Kind(d.kind), delivery.TLS(d.tls)
	password, err := readSecret(d.passwordFile)
	if err != nil {
		return err
	}
	d.spec.Password = secret.NewText(strings.TrimRight(password, "\r\n"))
	if f.Changed("path") && d.spec.Kind == delivery.Folder && d.spec.Settings.Path != "" {
		d.spec.Settings.Path, err = filepath.Abs(d.spec.Settings.Path)
	}
	return err
}

func (c *cli) destinationAddCommand() *cobra.Command {
	var flags destinationFlags
	cmd := &cobra.Command{Use: "add NAME", Short: "Name one; nothing is sent yet", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		flags.spec.Name = args[0]
		if err := flags.read(cmd.Flags()); err != nil {
			return err
		}
		return c.with(cmd, func(ctx context.Context, a *App) error {
			d, err := a.Delivery.Add(ctx, a.Scope, flags.spec)
			if err != nil {
				return err
			}
			return c.printDestinations([]delivery.Destination{d})
		})
	}}
	flags.bind(cmd.Flags())
	return cmd
}

func (c *cli) destinationChangeCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "change DESTINATION", Short: "Change what the given flags name; the rest stays", Args: cobra.ExactArgs(1)}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			d, err := a.Delivery.Destination(ctx, a.Scope, args[0])
			if err != nil {
				return err
			}
			flags := destinationFlags{spec: d.Spec}
			if name != "" {
				flags.spec.Name = name
			}
			own := pflag.NewFlagSet("", pflag.ContinueOnError)
			flags.bind(own)
			if err := given(cmd.Flags(), own); err != nil {
				return err
			}
			if err := flags.read(own); err != nil {
				return err
			}
			d, err = a.Delivery.Change(ctx, a.Scope, d.ID, flags.spec)
			if err != nil {
				return err
			}
			return c.printDestinations([]delivery.Destination{d})
		})
	}
	cmd.Flags().StringVar(&name, "name", "", "what it is called from now on")
	new(destinationFlags).bind(cmd.Flags())
	return cmd
}

// given hands the flags that were given to those of the same name in another set.
func given(from, to *pflag.FlagSet) (err error) {
	from.Visit(func(f *pflag.Flag) {
		other := to.Lookup(f.Name)
		if other == nil || err != nil {
			return
		}
		other.Changed = true
		if list, ok := f.Value.(pflag.SliceValue); ok {
			err = other.Value.(pflag.SliceValue).Replace(list.GetSlice())
		} else {
			err = other.Value.Set(f.Value.String())
		}
	})
	return err
}

func (c *cli) listDestinations(ctx context.Context, a *App) error {
	list, err := a.Delivery.Destinations(ctx, a.Scope)
	if err != nil {
		return err
	}
	if len(list) == 0 && c.format == "table" {
		_, err := fmt.Fprintln(c.out, "No destinations yet. moatmetrics destinations add office --kind email --host smtp.example.com --from reports@example.com names one.")
		return err
	}
	return c.printDestinations(list)
}

func (c *cli) printDestinations(list []delivery.Destination) error {
	rows := make([][]string, len(list))
	for i, d := range list {
		rows[i] = []string{d.Name, string(d.Kind), d.Where(), d.ID}
	}
	return c.table([]string{"destination", "kind", "where", "id"}, rows, list)
}

func (c *cli) destinationTestCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{Use: "test DESTINATION", Short: "Send a message that says that it is a test", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			r, err := a.Delivery.Test(ctx, a.Scope, args[0], to)
			if err != nil {
				return err
			}
			return c.table([]string{"sent to", "sha256"}, [][]string{{r.Place, r.SHA256}}, r)
		})
	}}
	cmd.Flags().StringVar(&to, "to", "", "of e-mail: the address, or a user such as user:17")
	return cmd
}

func (c *cli) deliveriesCommand() *cobra.Command {
	var f delivery.Filter
	var status string
	var limit int
	cmd := &cobra.Command{Use: "deliveries [DELIVERY]", Short: "List what was sent or is to be, the newest first, or show one", Args: cobra.MaximumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return c.with(cmd, func(ctx context.Context, a *App) error {
			var list []delivery.Delivery
			if len(args) == 1 {
				d, err := a.Delivery.Delivery(ctx, a.Scope, args[0])
				if err != nil {
					return err
				}
				list = []delivery.Delivery{d}
			} else {
				var err error
				f.Status = delivery.Status(status)
				if list, err = a.Delivery.Deliveries(ctx, a.Scope, f, limit, 0); err != nil {
					return err
				}
			}
			rows := make([][]string, len(list))
			for i, d := range list {
				rows[i] = []string{d.ID, shortTime(&d.CreatedAt), orText(d.Label, d.Kind), strings.Join(d.To, ", "), string(d.Status), fmt.Sprint(d.Attempts), orText(d.Problem, d.Place)}
			}
			return c.table([]string{"id", "at", "what", "to", "status", "attempts", "where, or why not"}, rows, list)
		})
	}}
	cmd.Flags().StringVar(&status, "status", "", "only those: waiting, sent, failed or canceled")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "only those: report or alert")
	cmd.Flags().StringVar(&f.Ref, "ref", "", "only what is known by this")
	cmd.Flags().IntVar(&limit, "limit", 200, "the most entries")
	return cmd
}
