package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// packages are those of the module, and all that they import.
type packages struct {
	packages []listedPackage
	exports  map[string]string // the files in which the compiler left what is exported, by import path
}

type listedPackage struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
}

// goList returns what askGo does, or fails the test.
func goList(t *testing.T) packages {
	t.Helper()
	listed, err := askGo()
	if err != nil {
		t.Fatal(err)
	}
	return listed
}

// askGo asks the go command, once for all tests. It compiles what is not compiled yet.
var askGo = sync.OnceValues(func() (packages, error) {
	command := exec.CommandContext(context.Background(), "go", "list", "-deps", "-export", "-json=ImportPath,Name,Dir,Export,GoFiles", module+"/...")
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return packages{}, fmt.Errorf("go list: %w\n%s", err, said.String())
	}
	found := packages{exports: map[string]string{}}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg listedPackage
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return packages{}, err
		}
		found.packages = append(found.packages, pkg)
		found.exports[pkg.ImportPath] = pkg.Export
	}
})

func (p packages) importer() types.Importer {
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(p.exports[path])
	})
}

// public are the import paths of the packages that are to be listed.
func (p packages) public() (paths []string) {
	for _, pkg := range p.packages {
		below, ours := strings.CutPrefix(pkg.ImportPath, module)
		if ours && len(pkg.GoFiles) > 0 && pkg.Name != "main" && !strings.HasPrefix(below, "/internal/") && unlisted[below] == "" {
			paths = append(paths, pkg.ImportPath)
		}
	}
	return paths
}
