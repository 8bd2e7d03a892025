package scoring

// Tier is a certification tier. Tiers ascend, so they compare with <.
type Tier uint8

// The certification tiers.
const (
	Accredited Tier = iota + 1
	Certified
	MasterRoofer
)

var tiers = words[Tier]{"certification tier", []string{"ACCREDITED", "CERTIFIED", "MASTER_ROOFER"}}

// Tiers lists the certification tiers, lowest first.
func Tiers() []Tier { return tiers.all() }

func (t Tier) String() string { return tiers.name(t) }

// MarshalText gives the name on the wire and in the database.
func (t Tier) MarshalText() ([]byte, error) { return tiers.marshal(t) }

// UnmarshalText refuses an unknown name.
func (t *Tier) UnmarshalText(text []byte) error { return tiers.unmarshal(t, text) }

// next returns the tier above t, if there is one.
func (t Tier) next() (Tier, bool) {
	if t >= MasterRoofer {
		return 0, false
	}
	return t + 1, true
}
