package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

const assetsPath = "/console/assets/"

//go:embed assets
var assetFiles embed.FS

// assets are served under a name that has a hash of what is in them, so that a browser keeps them until they change.
type assets struct {
	prefix string            // of the console
	byName map[string]asset  // "console.0123456789ab.css"
	paths  map[string]string // by the name of the file
}

type asset struct {
	kind string
	data []byte
}

var assetKinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

func newAssets(prefix string) *assets {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // it is built in
	}
	files := &assets{prefix: prefix, byName: map[string]asset{}, paths: map[string]string{}}
	for _, entry := range entries {
		data, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum, extension := sha256.Sum256(data), path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		files.byName[name] = asset{assetKinds[extension], data}
		files.paths[entry.Name()] = prefix + assetsPath + name
	}
	return files
}

// path is where the file is served.
func (a *assets) path(file string) string { return a.paths[file] }

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, ok := a.byName[strings.TrimPrefix(r.URL.Path, a.prefix+assetsPath)]
	if !ok {
		http.NotFound(w, r) // no person asks for it
		return
	}
	w.Header().Set("Content-Type", found.kind)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, _ = w.Write(found.data)
}
