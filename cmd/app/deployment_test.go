package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
)

// What is deployed is held against the program: what a file says of it cannot become wrong unnoticed.

// longestStop is what a graceful stop may take: requests under way, then saying that the process is gone, then the last
// traces.
const longestStop = requestTimeout + 2*time.Second + flushTimeout

// notOurs are variables that others read: the Go runtime, OpenTelemetry, and pgx, which knows libpq's.
func notOurs(name string) bool {
	return name == "GOMEMLIMIT" || name == "GOTRACEBACK" || name == "PGPASSWORD" || strings.HasPrefix(name, "OTEL_")
}

// parserOf parses command lines without running them.
func parserOf(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("app"), kong.Vars{
		"emulator_key": clerktest.DefaultSecretKey, "link_key": claimsync.DefaultLinkKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// commandLine fails the test unless the program understands the arguments, and returns the command.
func commandLine(t *testing.T, args ...string) string {
	t.Helper()
	parsed, err := parserOf(t).Parse(args)
	if err != nil {
		t.Fatalf("app %s: %v", strings.Join(args, " "), err)
	}
	return parsed.Command()
}

// variablesOf returns the defaults of a command's environment variables.
func variablesOf(t *testing.T, command string) map[string]string {
	t.Helper()
	variables := map[string]string{}
	for _, leaf := range parserOf(t).Model.Leaves(false) {
		if leaf.Path() != "app "+command && leaf.Path() != command {
			continue
		}
		for _, flags := range leaf.AllFlags(false) {
			for _, flag := range flags {
				if name := flag.Tag.Get(environmentTag); name != "" {
					variables[name] = flag.Default
				}
			}
		}
	}
	if len(variables) < 2 {
		t.Fatalf("%s has the variables %v: they are not found", command, variables)
	}
	return variables
}

// readYAML decodes all documents of a file.
func readYAML[T any](t *testing.T, path string) (documents []T) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document T
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		documents = append(documents, document)
	}
}

type composeService struct {
	Environment     map[string]string
	Command         []string
	StopGracePeriod string `yaml:"stop_grace_period"`
	ReadOnly        bool   `yaml:"read_only"`
	User            string
	CapDrop         []string `yaml:"cap_drop"`
	Ports           []string
}

// compose.yaml passes on every variable of app serve, with the default that it has anyway.
func TestCompose(t *testing.T) {
	t.Parallel()
	services := readYAML[struct{ Services map[string]composeService }](t, "../../compose.yaml")[0].Services
	app := services["app"]
	variables := variablesOf(t, "serve")
	delete(variables, "HTTP_ADDR") // the image's
	for name, byDefault := range variables {
		value, there := app.Environment[name]
		if !there {
			t.Errorf("%s is not passed on", name)
		}
		if passed, ok := strings.CutPrefix(value, "${"+name+":-"); ok && strings.TrimSuffix(passed, "}") != byDefault {
			t.Errorf("%s is %s, and by default %q", name, value, byDefault)
		} else if !ok && !strings.HasPrefix(value, "${"+name+":?") && name != "DATABASE_URL" {
			t.Errorf("%s is %s, which no one can choose", name, value)
		}
	}
	for name := range app.Environment {
		if _, known := variables[name]; !known && !notOurs(name) {
			t.Errorf("%s is no variable of app serve", name)
		}
	}
	if grace, err := time.ParseDuration(app.StopGracePeriod); err != nil || grace < longestStop+3*time.Second {
		t.Errorf("it is killed after %s, and may take %s to stop: %v", grace, longestStop, err)
	}
	for _, name := range []string{"app", "clerk"} {
		service := services[name]
		if !service.ReadOnly || service.User != "65532:65532" || !slices.Equal(service.CapDrop, []string{"ALL"}) {
			t.Errorf("%s is not confined: %+v", name, service)
		}
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is published as %s", name, port)
			}
		}
	}
	if command := commandLine(t, services["clerk"].Command...); command != "clerk-emulator" {
		t.Errorf("the emulator is %s", command)
	}
}

// A password of any characters opens the database of compose.yaml.
func TestComposePassword(t *testing.T) {
	const password = `p@ss:w/o#r?d%20&"'\$ ü`
	services := readYAML[struct{ Services map[string]composeService }](t, "../../compose.yaml")[0].Services
	said := func(service, name string) string {
		return strings.ReplaceAll(services[service].Environment[name], "${POSTGRES_PASSWORD:-claimsync}", password)
	}
	t.Setenv("PGPASSWORD", said("app", "PGPASSWORD"))
	config, err := db.Config(said("app", "DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	if got := config.ConnConfig; got.Password != password || said("postgres", "POSTGRES_PASSWORD") != password ||
		got.Host != "postgres" || got.User != services["postgres"].Environment["POSTGRES_USER"] {
		t.Errorf("%s opens %s at %s, with %q instead of %q", got.User, got.Database, got.Host, got.Password, password)
	}
}

// What docs/running.md has people type is what the program understands, where it is.
func TestRunningByHand(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	typed := regexp.MustCompile(`(?m)^.*(/app|/usr/local/bin/claimsync) (\S.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(typed) != 5 {
		t.Errorf("%d commands, want those of Compose, a container, Kubernetes, and two of systemd", len(typed))
	}
	programs := map[string]bool{
		arguments(t, lastInstruction(t, instructions(t), "ENTRYPOINT"))[0]: true, strings.Fields(readUnit(t)["ExecStart"][0])[0]: true,
	}
	for _, match := range typed {
		commandLine(t, strings.Fields(match[2])...)
		if !programs[match[1]] {
			t.Errorf("%s is not where the program is", match[1])
		}
	}
	for _, credential := range readUnit(t)["LoadCredential"][:1] {
		if !strings.Contains(string(text), "LoadCredential="+credential) {
			t.Errorf("%s is not loaded", credential)
		}
	}
}
