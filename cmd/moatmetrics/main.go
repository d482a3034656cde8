// Command moatmetrics is the CLI, the API server and the worker in one binary.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/moatmetrics/moatmetrics/internal/app"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(app.Main(ctx, version, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
