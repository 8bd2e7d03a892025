package db

import (
	"io/fs"
	"regexp"
	"strings"
)

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// Tables are the names of claimsync's own tables.
func Tables() (names []string, err error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(migrationFiles, file)
		if err != nil {
			return nil, err
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, match := range createTable.FindAllStringSubmatch(up, -1) {
			names = append(names, match[1])
		}
	}
	return names, nil
}
