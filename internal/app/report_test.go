package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program that is killed while it makes reports leaves whole files and none that is half.
func TestAKillInMidReportLeavesNoHalfFile(t *testing.T) {
	t.Parallel()
	kills := 12
	if os.Getenv("MOAT_SOAK") != "" {
		kills = 200
	}
	p := program{data: filepath.Join(t.TempDir(), "data")}
	p.ok(t, "demo", "--no-serve", "--clients", "8", "--months", "12")
	rnd := rand.New(rand.NewPCG(7, 1))
	out := t.TempDir()
	for i := range kills {
		format := []string{"pdf", "xlsx", "pptx"}[i%3]
		target := filepath.Join(out, "r."+format)
		os.Remove(target)
		cmd := p.command("report", "client-profitability", "--format", format, "-o", target)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(100+rnd.IntN(1200)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		if content, err := os.ReadFile(target); err == nil {
			end := map[string]string{"pdf": "%%EOF", "xlsx": "PK\x05\x06", "pptx": "PK\x05\x06"}[format]
			if !strings.Contains(string(content[max(0, len(content)-1024):]), end) {
				t.Errorf("%s is half a file of %d bytes", format, len(content))
			}
		}
	}
	kept := 0
	filepath.WalkDir(filepath.Join(p.data, "reports", "default", "files"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".draft-") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != e.Name() {
			t.Errorf("%s holds something else", e.Name())
		}
		kept++
		return nil
	})
	p.ok(t, "verify")
	p.ok(t, "report", "client-profitability", "-o", filepath.Join(out, "again.pdf"))
	if kept == 0 && kills > 50 {
		t.Error("no kill came late enough to find a whole file")
	}
}
