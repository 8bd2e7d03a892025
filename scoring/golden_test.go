package scoring

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// vector is an input with the answer of the original engine.
type vector struct {
	Snapshot jsontext.Value `json:"snapshot"`
	Want     jsontext.Value `json:"want"`
}

func goldenVectors(t testing.TB) (vectors []vector) {
	t.Helper()
	file, err := os.Open("testdata/scoring.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// The comparison is of JSON, so that a member too many, a number in another notation or a member out of order shows.
func TestGolden(t *testing.T) {
	t.Parallel()
	vectors := goldenVectors(t)
	if len(vectors) < 300 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for i, v := range vectors {
		s, err := DecodeSnapshot(v.Snapshot)
		if err != nil {
			t.Fatalf("vector %d: %v", i, err)
		}
		result := s.Calculate()
		for j := range result.Issues {
			if result.Issues[j].Message == "" {
				t.Errorf("vector %d: %s has no message", i, result.Issues[j].Code)
			}
		}
		if diff := cmp.Diff(indent(t, v.Want), indent(t, withoutMessages(t, result))); diff != "" {
			t.Errorf("vector %d (-want +got):\n%s", i, diff)
		}
	}
}

// withoutMessages encodes a result as the vectors have it: the wording of messages is ours.
func withoutMessages(t testing.TB, r Result) jsontext.Value {
	t.Helper()
	type bare struct {
		Category Category `json:"category"`
		Severity Severity `json:"severity"`
		Code     string   `json:"code"`
	}
	data, err := json.Marshal(r, json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, i Issue) error {
		return json.MarshalEncode(enc, bare{i.Category, i.Severity, i.Code})
	})))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func indent(t testing.TB, v jsontext.Value) string {
	t.Helper()
	v = v.Clone()
	if err := v.Indent(jsontext.WithIndent(" ")); err != nil {
		t.Fatal(err)
	}
	return string(v)
}

func BenchmarkCalculate(b *testing.B) {
	s, err := DecodeSnapshot(goldenVectors(b)[0].Snapshot)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Calculate()
	}
}

func BenchmarkDecodeSnapshot(b *testing.B) {
	data := goldenVectors(b)[0].Snapshot
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeSnapshot(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshalResult(b *testing.B) {
	s, err := DecodeSnapshot(goldenVectors(b)[0].Snapshot)
	if err != nil {
		b.Fatal(err)
	}
	result := s.Calculate()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(&result); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	var input bytes.Buffer
	for _, v := range goldenVectors(b) {
		input.Write(v.Snapshot)
		input.WriteByte('\n')
	}
	b.SetBytes(int64(input.Len()))
	for b.Loop() {
		err := Stream(b.Context(), bytes.NewReader(input.Bytes()), io.Discard, func(err *LineError) { b.Error(err) })
		if err != nil {
			b.Fatal(err)
		}
	}
}
