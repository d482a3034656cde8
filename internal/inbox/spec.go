package inbox

import (
	"encoding/json"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/adhocore/gronx"

	"github.com/moatmetrics/moatmetrics/internal/dataset"
	"github.com/moatmetrics/moatmetrics/internal/fault"
	"github.com/moatmetrics/moatmetrics/internal/metadb"
	"github.com/moatmetrics/moatmetrics/internal/reach"
	"github.com/moatmetrics/moatmetrics/internal/secret"
)

// Kind is a kind of source.
type Kind string

// The kinds.
const (
	Folder Kind = "folder" // a folder of this machine
	SFTP   Kind = "sftp"   // a folder of an SSH server
	S3     Kind = "s3"     // a bucket of an S3-compatible store, or what lies under a prefix of it
	IMAP   Kind = "imap"   // the attachments of the e-mails of a mailbox
)

// After says what becomes of a file at its source once its import is committed.
type After string

// What may become of it.
const (
	Keep   After = "keep"   // it stays where it is
	Move   After = "move"   // to the folder done beside it; one in quarantine to the folder quarantine
	Delete After = "delete" // it is deleted; one in quarantine stays
)

// TLS says how a connection to a mail server is encrypted. A certificate must always be valid.
type TLS string

// The ways.
const (
	Implicit TLS = "implicit" // from the first byte, as on port 993
	StartTLS TLS = "starttls" // begins in the clear and must change over before the password is sent, as on port 143
	NoTLS    TLS = "none"     // only to this machine
)

// OnChange is the schedule of a folder that is watched; others are cron expressions.
const OnChange = "watch"

// Spec is what a person says about a source.
type Spec struct {
	Name     string   `json:"name" maxLength:"100" doc:"what people call it; unique"`
	Kind     Kind     `json:"kind" enum:"folder,sftp,s3,imap"`
	Settings Settings `json:"settings"`
	// Password and PrivateKey are kept encrypted and never shown. A change without them
	// keeps those there are.
	Password   secret.Text `json:"password,omitzero" doc:"kept encrypted, never shown; left out to keep the one there is"`
	PrivateKey secret.Text `json:"private_key,omitzero" doc:"of SSH, in OpenSSH form; kept encrypted, never shown"`
	// Schedule is OnChange, a cron expression, or "" for runs by hand only.
	Schedule     string          `json:"schedule,omitempty" doc:"watch (folders), a cron expression such as 0 6 * * *, or nothing for runs by hand"`
	Zone         string          `json:"zone,omitempty" doc:"time zone of the schedule, such as Europe/Berlin; UTC when left out"`
	Dataset      string          `json:"dataset,omitempty" doc:"what all files are; told from each file when left out"`
	SourceSystem string          `json:"source_system,omitempty" doc:"name kept with every row; csv when left out"`
	Mapping      dataset.Mapping `json:"mapping,omitzero" doc:"how all files are read"`
	AllOrNothing bool            `json:"all_or_nothing,omitempty" doc:"the files of one run are stored together or not at all"`
	After        After           `json:"after,omitempty" enum:"keep,move,delete" doc:"what becomes of a file once it is imported; keep when left out"`
	Paused       bool            `json:"paused,omitempty" doc:"runs by hand only"`
}

// Settings say where a source is. Those of other kinds are left alone.
type Settings struct {
	Path    string `json:"path,omitempty" doc:"the folder; of s3 the prefix; of imap the mailbox folder, INBOX when left out"`
	Pattern string `json:"pattern,omitempty" doc:"which files, such as *.csv; all when left out"`
	// Of SFTP and IMAP.
	Host    string `json:"host,omitempty" doc:"server of sftp or imap"`
	Port    int    `json:"port,omitempty" doc:"22 of sftp, 993 or 143 of imap when left out"`
	User    string `json:"user,omitempty" doc:"of s3 the access key's id"`
	HostKey string `json:"host_key,omitempty" doc:"the server's key, such as ssh-ed25519 SHA256:...; a test without it shows the key"`
	// Of S3.
	Endpoint string `json:"endpoint,omitempty" doc:"of s3, such as https://s3.eu-central-1.amazonaws.com; http only when it says so"`
	Region   string `json:"region,omitempty" doc:"of s3; us-east-1 when left out"`
	Bucket   string `json:"bucket,omitempty" doc:"of s3"`
	// Of IMAP.
	TLS     TLS      `json:"tls,omitempty" enum:"implicit,starttls,none" doc:"of imap; implicit when left out, starttls on port 143, none only to this machine"`
	Senders []string `json:"senders,omitempty" maxItems:"100" doc:"of imap: whose e-mails are taken, as addresses or as domains such as @example.com; those of anyone when left out"`
	Subject string   `json:"subject,omitempty" doc:"of imap: only e-mails whose subject holds this text"`
}

// Where says in a line where the source is, for people.
func (s Spec) Where() string {
	set := s.Settings
	switch s.Kind {
	case S3:
		return strings.TrimSuffix(set.Endpoint+"/"+set.Bucket+"/"+set.Path, "/")
	case SFTP, IMAP:
		return set.User + "@" + set.Host + ":" + set.Path
	}
	return set.Path
}

// check completes a spec and lists what is wrong with it.
func (s *Service) check(spec *Spec) error {
	var wrong []fault.Field
	var bad complain = func(path, message string, allowed ...string) {
		wrong = append(wrong, fault.Field{Path: path, Message: message, Allowed: allowed})
	}
	spec.Name = metadb.Text(strings.TrimSpace(spec.Name))
	if spec.Name == "" || len(spec.Name) > 100 {
		bad("name", "must be 1 to 100 bytes")
	}
	switch spec.After {
	case "":
		spec.After = Keep
	case Keep, Move, Delete:
	default:
		bad("after", "is "+string(spec.After), string(Keep), string(Move), string(Delete))
	}
	switch spec.Kind {
	case Folder:
		if err := s.checkFolder(spec.Settings.Path); err != nil {
			bad("settings.path", fault.Message(err))
		} else {
			spec.Settings.Path = filepath.Clean(spec.Settings.Path)
		}
	case SFTP:
		checkServer(spec.Settings, s.guard(), bad)
		if spec.Settings.Path == "" {
			spec.Settings.Path = "."
		}
	case S3:
		checkS3(&spec.Settings, s.guard(), bad)
	case IMAP:
		checkServer(spec.Settings, s.guard(), bad)
		checkIMAP(&spec.Settings, bad)
	default:
		bad("kind", "is "+string(spec.Kind), string(Folder), string(SFTP), string(S3), string(IMAP))
	}
	if _, err := path.Match(spec.Settings.Pattern, ""); err != nil {
		bad("settings.pattern", "is not a pattern: use *.csv, or leave it out")
	}
	if _, err := time.LoadLocation(spec.Zone); err != nil {
		bad("zone", "is not a time zone: use a name such as Europe/Berlin")
	}
	switch {
	case spec.Schedule == "" || spec.Schedule == OnChange && spec.Kind == Folder:
	case spec.Schedule == OnChange:
		bad("schedule", "only folders can be watched: use a cron expression such as */15 * * * *")
	case !gronx.IsValid(spec.Schedule) || len(strings.Fields(spec.Schedule)) > 5:
		bad("schedule", "is not a cron expression of minute, hour, day, month and weekday, such as 0 6 * * *")
	}
	if _, ok := dataset.Find(spec.Dataset); !ok && spec.Dataset != "" {
		bad("dataset", "unknown", dataset.Names()...)
	}
	m := *spec
	m.Dataset = ""
	text, err := json.Marshal(m.mapping())
	if err == nil {
		_, err = dataset.ParseMapping(text) // JSON is YAML
	}
	if err != nil {
		wrong = append(wrong, fault.FieldsOf(err)...)
	}
	if wrong != nil {
		return fault.WithFields("the source cannot be kept like this", wrong...)
	}
	return nil
}

// complain keeps what is wrong with a part of a spec.
type complain func(path, message string, allowed ...string)

// checkServer checks where a server is and who asks it.
func checkServer(set Settings, near reach.Guard, bad complain) {
	if set.Host == "" || strings.ContainsAny(set.Host, "/@ ") {
		bad("settings.host", "must be the server's name")
	} else if err := near.CheckHost(set.Host); err != nil {
		bad("settings.host", fault.Message(err))
	}
	if set.User == "" {
		bad("settings.user", "must be the user's name")
	}
	if set.Port < 0 || set.Port > 65535 {
		bad("settings.port", "must be 1 to 65535")
	}
}

// mapping is how the source's files are read.
func (s Spec) mapping() dataset.Mapping {
	m := s.Mapping
	if s.Dataset != "" {
		m.Dataset = s.Dataset
	}
	if s.SourceSystem != "" {
		m.Options.SourceSystem = s.SourceSystem
	}
	return m
}
