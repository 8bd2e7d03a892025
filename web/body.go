package web

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/claimsync/claimsync/scoring"
)

// maxBody is the longest body that is read, in bytes.
const maxBody = 1 << 20

// decodeBody reads the body strictly into a pointer, see scoring.Decode. A request that says nothing about its type is
// taken at its word.
func decodeBody(w http.ResponseWriter, r *http.Request, into any) error {
	if err := checkContentType(r.Header.Get("Content-Type")); err != nil {
		return err
	}
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	return scoring.Decode(data, into)
}

// expectNoBody accepts no body and an empty object. Anything else was meant to say something that would go unheard.
func expectNoBody(w http.ResponseWriter, r *http.Request) error {
	data, err := readBody(w, r)
	if err != nil || len(data) == 0 {
		return err
	}
	return scoring.Decode(data, &struct{}{})
}

func checkContentType(contentType string) error {
	if contentType == "" {
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "The body could not be read to its end.")
	}
	return data, nil
}

var errTooLarge = newProblem(http.StatusRequestEntityTooLarge, "The body is longer than 1 MiB.")

// answer sends value as JSON. It is encoded first: half an answer could not be taken back.
func answer(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value, json.FormatNilSliceAsNull(true))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client is the only one who could be told
	return nil
}
