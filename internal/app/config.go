package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
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
	// Product is the version of the program; nobody sets it.
	Product string `koanf:"-" yaml:"-"`
	// Data is the data directory: control database, warehouse, scratch files.
	Data string `koanf:"data" yaml:"data"`
	// Database is a PostgreSQL address; empty means SQLite in the data directory.
	Database string `koanf:"database" yaml:"database"`
	// Tenant is whose data the command works on.
	Tenant string `koanf:"tenant" yaml:"tenant"`
	// Listen is the address of serve. Until there are accounts only this machine is answered.
	Listen string `koanf:"listen" yaml:"listen"`
	// TLSCert and TLSKey are PEM files; with them serve speaks TLS.
	TLSCert string `koanf:"tls_cert" yaml:"tls_cert"`
	TLSKey  string `koanf:"tls_key" yaml:"tls_key"`
	// Hosts are the names that the server answers under, comma-separated.
	Hosts string `koanf:"hosts" yaml:"hosts"`
	// TrustedProxies are the networks of reverse proxies whose X-Forwarded-For is believed.
	TrustedProxies string `koanf:"trusted_proxies" yaml:"trusted_proxies"`
	// SourceNetworks are where sources may be beside public addresses: private, loopback, none, or
	// networks such as 10.0.0.0/8, comma-separated.
	SourceNetworks string `koanf:"source_networks" yaml:"source_networks"`
	// DeliveryNetworks are the same for where something is sent.
	DeliveryNetworks string `koanf:"delivery_networks" yaml:"delivery_networks"`
	// DeliveryFolders are the folders of this machine under which something may be sent,
	// comma-separated; none when empty.
	DeliveryFolders string `koanf:"delivery_folders" yaml:"delivery_folders"`
	// RateActor, RateAddress and RateSignIn are tokens a minute of an actor and of an address, and
	// attempts to sign in of an address.
	RateActor   int `koanf:"rate_actor" yaml:"rate_actor"`
	RateAddress int `koanf:"rate_address" yaml:"rate_address"`
	RateSignIn  int `koanf:"rate_sign_in" yaml:"rate_sign_in"`
	// MemoryMB bounds the query engine's memory.
	MemoryMB int `koanf:"memory_mb" yaml:"memory_mb"`
	// Threads bounds the query engine's threads; 0 is one for each processor.
	Threads int `koanf:"threads" yaml:"threads"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `koanf:"log_level" yaml:"log_level"`
}

// settings are the names of all of them.
var settings = []string{"data", "database", "tenant", "listen", "tls_cert", "tls_key", "hosts", "trusted_proxies", "source_networks", "delivery_networks", "delivery_folders", "rate_actor", "rate_address", "rate_sign_in", "memory_mb", "threads", "log_level"}

func defaults() Config {
	return Config{Data: "data", Tenant: "default", Listen: "127.0.0.1:8080", SourceNetworks: "private,loopback", DeliveryNetworks: "private,loopback", RateActor: 1200, RateAddress: 3000, RateSignIn: 10, MemoryMB: 800, LogLevel: "warn"}
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
	for _, f := range settings[1:] { // where the data lies is known by now
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
	for _, key := range keys {
		if !slices.Contains(settings, key) {
			wrong = append(wrong, fault.Field{Path: key, Message: "is not a setting", Allowed: settings})
		}
	}
	wrong = append(wrong, c.checkServing()...)
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

// osUser names who runs the command, for the audit record.
func osUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
