package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"

	"github.com/moatmetrics/moatmetrics/internal/fault"
)

// Config is every setting. Values come from, later winning: the defaults here, the file
// DIR/moatmetrics.yaml, environment variables MOAT_<NAME> (MOAT_MEMORY_MB), flags.
type Config struct {
	// Data is the data directory: control database, warehouse, scratch files.
	Data string `koanf:"data" yaml:"data"`
	// Database is a PostgreSQL address; empty means SQLite in the data directory.
	Database string `koanf:"database" yaml:"database"`
	// Tenant is whose data the command works on.
	Tenant string `koanf:"tenant" yaml:"tenant"`
	// Listen is the address of serve. Loopback only until accounts exist.
	Listen string `koanf:"listen" yaml:"listen"`
	// MemoryMB bounds the query engine's memory.
	MemoryMB int `koanf:"memory_mb" yaml:"memory_mb"`
	// Threads bounds the query engine's threads; 0 is one for each processor.
	Threads int `koanf:"threads" yaml:"threads"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `koanf:"log_level" yaml:"log_level"`
}

func defaults() Config {
	return Config{Data: "data", Tenant: "default", Listen: "127.0.0.1:8080", MemoryMB: 800, LogLevel: "warn"}
}

// loadConfig reads the settings for a data directory ("" means the default one) and
// reports all that is wrong with them at once.
func loadConfig(data string) (Config, error) {
	k := koanf.New(".")
	base := defaults()
	if env := os.Getenv("MOAT_DATA_DIR"); env != "" {
		base.Data = env
	}
	if data != "" {
		base.Data = data
	}
	if err := k.Load(structs.Provider(base, "koanf"), nil); err != nil {
		return base, err
	}
	path := filepath.Join(base.Data, "moatmetrics.yaml")
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return base, fault.Wrapf(fault.Invalid, err, "%s cannot be read", path)
	}
	opt := env.Opt{Prefix: "MOAT_", TransformFunc: func(key, value string) (string, any) {
		return strings.ToLower(strings.TrimPrefix(key, "MOAT_")), value
	}}
	envs := koanf.New(".")
	if err := envs.Load(env.Provider(".", opt), nil); err != nil {
		return base, err
	}
	for _, f := range []string{"database", "tenant", "listen", "memory_mb", "threads", "log_level"} {
		if envs.Exists(f) {
			if err := k.Set(f, envs.Get(f)); err != nil {
				return base, err
			}
		}
	}
	var c Config
	if err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: "koanf"}); err != nil {
		return c, fault.Wrapf(fault.Invalid, err, "the configuration is not valid")
	}
	c.Data = base.Data
	return c, c.check(k.Keys())
}

func (c Config) check(keys []string) error {
	var wrong []fault.Field
	allowed := []string{"data", "database", "tenant", "listen", "memory_mb", "threads", "log_level"}
	for _, key := range keys {
		if !slices.Contains(allowed, key) {
			wrong = append(wrong, fault.Field{Path: key, Message: "is not a setting", Allowed: allowed})
		}
	}
	if c.MemoryMB < 64 {
		wrong = append(wrong, fault.Field{Path: "memory_mb", Message: "must be at least 64"})
	}
	if c.Threads < 0 {
		wrong = append(wrong, fault.Field{Path: "threads", Message: "must be 0 (one a processor) or more"})
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		wrong = append(wrong, fault.Field{Path: "log_level", Message: fmt.Sprintf("%q is not a level", c.LogLevel), Allowed: []string{"debug", "info", "warn", "error"}})
	}
	if len(wrong) > 0 {
		return fault.WithFields("the configuration is not valid", wrong...)
	}
	return nil
}

var secretPart = regexp.MustCompile(`://([^:@/]+):[^@/]+@`)

// redacted hides what must not be printed.
func (c Config) redacted() Config {
	c.Database = secretPart.ReplaceAllString(c.Database, "://$1:•••@")
	return c
}

// checkLoopback refuses addresses that other machines can reach: there are no accounts yet.
func checkLoopback(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fault.Newf(fault.Invalid, "--listen %s is not an address: write 127.0.0.1:8080", listen)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fault.Newf(fault.Invalid, "--listen %s would let other machines read your books: there are no accounts yet, so serve listens on loopback only (127.0.0.1, [::1] or localhost). Reach it from elsewhere through an SSH tunnel", listen)
}

// osUser names who runs the command, for the audit record.
func osUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
