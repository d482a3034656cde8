// Command workload writes the benchmark's files: workload -out DIR -logs N.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/moatmetrics/moatmetrics/internal/sample"
)

func main() {
	out := flag.String("out", "", "folder for the files")
	logs := flag.Int("logs", 1_000_000, "time entries")
	flag.Parse()
	if err := os.MkdirAll(*out, 0o700); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := sample.Workload(*out, sample.WorkloadOptions{Logs: *logs, Seed: 1}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
