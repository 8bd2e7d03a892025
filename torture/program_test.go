package torture

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs are the builds of the real program that the tests run. Each is built once.
var programs = builder{built: map[string]*build{}}

type builder struct {
	mu    sync.Mutex
	dir   string
	built map[string]*build
}

type build struct {
	once sync.Once
	path string
	err  error
}

// edit replaces text in one file of the source, for one build. The text has to be there exactly once, so that an edit
// cannot silently come to nothing when the source changes.
type edit struct {
	file     string // relative to the module, or absolute
	old, new string
}

// program returns the path of the program.
func program(t *testing.T) string {
	t.Helper()
	if *given != "" {
		return *given
	}
	return editedProgram(t, "app")
}

// editedProgram returns the path of the program as the edits make it.
func editedProgram(t *testing.T, name string, edits ...edit) string {
	t.Helper()
	programs.mu.Lock()
	b, ok := programs.built[name]
	if !ok {
		b = &build{}
		programs.built[name] = b
	}
	programs.mu.Unlock()
	b.once.Do(func() { b.path, b.err = programs.build(t.Context(), name, edits) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

func (b *builder) build(ctx context.Context, name string, edits []edit) (string, error) {
	dir, err := b.folder()
	if err != nil {
		return "", err
	}
	overlay, err := writeOverlay(filepath.Join(dir, name+".src"), edits)
	if err != nil {
		return "", fmt.Errorf("editing the source for %s: %w", name, err)
	}
	path := filepath.Join(dir, name)
	command := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", path, "./cmd/app")
	command.Dir = ".."
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, output)
	}
	return path, nil
}

// writeOverlay writes the edited files and the description that go build takes. Returns the latter's path.
func writeOverlay(dir string, edits []edit) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for i, e := range edits {
		path := e.file
		if !filepath.IsAbs(path) {
			path = filepath.Join("..", path)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		source := path
		if earlier, ok := replaced[path]; ok {
			source = earlier
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			return "", fmt.Errorf("%s has %d times, not once:\n%s", e.file, n, e.old)
		}
		replaced[path] = filepath.Join(dir, fmt.Sprintf("%d_%s", i, filepath.Base(path)))
		edited := strings.Replace(string(text), e.old, e.new, 1)
		if err := os.WriteFile(replaced[path], []byte(edited), 0o600); err != nil {
			return "", err
		}
	}
	description, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, description, 0o600)
}

func (b *builder) folder() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dir != "" {
		return b.dir, nil
	}
	var err error
	b.dir, err = os.MkdirTemp("", "claimsync-torture-")
	return b.dir, err
}

func (b *builder) remove() {
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}
