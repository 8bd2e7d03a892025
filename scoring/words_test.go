package scoring

import (
	"encoding"
	"testing"
)

// word is what all closed sets have in common.
type word[E any] interface {
	*E
	encoding.TextUnmarshaler
	Scan(src any) error
}

func checkWords[E interface {
	~uint8
	encoding.TextMarshaler
	String() string
}, P word[E]](t *testing.T, set words[E]) {
	t.Helper()
	for _, want := range set.all() {
		text, err := want.MarshalText()
		if err != nil || string(text) != want.String() {
			t.Errorf("%s: text %q, %v", want, text, err)
		}
		if got, err := parse[E, P](string(text)); err != nil || got != want {
			t.Errorf("%s: parsed %v, %v", want, got, err)
		}
		for _, src := range []any{string(text), text} {
			var got E
			if err := P(&got).Scan(src); err != nil || got != want {
				t.Errorf("%s: scanned %v, %v", want, got, err)
			}
		}
	}
	for _, invalid := range []E{0, E(len(set.names) + 1)} {
		if text, err := invalid.MarshalText(); err == nil {
			t.Errorf("%s is text: %q", invalid, text)
		}
	}
	var got E
	if err := P(&got).Scan(nil); err == nil {
		t.Errorf("%s: null scanned to %v", set.noun, got)
	}
	if err := P(&got).UnmarshalText(nil); err == nil {
		t.Errorf("%s: the empty word is %v", set.noun, got)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	checkWords(t, tiers)
	checkWords(t, elements)
	checkWords(t, documentStatuses)
	checkWords(t, assessmentStatuses)
	checkWords(t, policyTypes)
	checkWords(t, roles)
	checkWords(t, lbpStatuses)
	checkWords(t, auditRatings)
	checkWords(t, capaStatuses)
}

func TestTitles(t *testing.T) {
	t.Parallel()
	for _, element := range Elements() {
		if element.Title() == "" || element.Weight() <= 0 {
			t.Errorf("%s: title %q, weight %v", element, element.Title(), element.Weight())
		}
	}
	for _, policy := range PolicyTypes() {
		if policy.Title() == "" {
			t.Errorf("%s has no title", policy)
		}
	}
}

func TestMinimumCoverage(t *testing.T) {
	t.Parallel()
	if got, ok := MinimumCoverage(MasterRoofer, PublicLiability); !ok || got.String() != "5000000" {
		t.Errorf("got %s, %v", got, ok)
	}
	if got, ok := MinimumCoverage(MasterRoofer, EmployersLiability); ok {
		t.Errorf("got %s, want none required", got)
	}
}

func TestScoreStatus(t *testing.T) {
	t.Parallel()
	for score, want := range map[int]Status{
		0: StatusCritical, 69: StatusCritical, 70: StatusAtRisk, 89: StatusAtRisk, 90: StatusCompliant, 100: StatusCompliant,
	} {
		if got := ScoreStatus(score); got != want {
			t.Errorf("%d is %s, want %s", score, got, want)
		}
	}
}

// parse reads one word of a closed set, or a Money amount.
func parse[E any, P interface {
	*E
	encoding.TextUnmarshaler
}](word string) (E, error) {
	var e E
	err := P(&e).UnmarshalText([]byte(word))
	return e, err
}
