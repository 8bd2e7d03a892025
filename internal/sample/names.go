package sample

import "fmt"

var leads = []string{
	"Aoraki", "Ashburton", "Awatea", "Bay of Islands", "Bayleaf", "Bennett", "Blackwood", "Brightwater", "Canterbury",
	"Capital", "Cascade", "Coastline", "Cook Strait", "Coromandel", "Dunstan", "Eastern Bays", "Fantail", "Fiordland",
	"Foxton", "Fraser & Sons", "Gisborne", "Goldfields", "Greenstone", "Harakeke", "Harbour City", "Hauraki",
	"Hawke's Bay", "Heke", "Henderson", "Hobson", "Hokitika", "Horizon", "Huia", "Ironbark", "Kaikōura", "Kaimai", "Kākāpō",
	"Kāpiti", "Kea", "Kererū", "Kōwhai", "Lakes District", "Levin", "Long White Cloud", "Macrocarpa", "Mainland",
	"Mānuka", "Marlborough", "McAllister", "McKenzie", "Milford", "Moana", "Motueka", "Murchison", "Nelson Bays", "Ngāio",
	"Nikau", "Norwest", "Ōamaru", "Otago", "Pania", "Papamoa", "Parata & Co", "Pōhutukawa", "Pounamu", "Queen Charlotte",
	"Rangitoto", "Raukawa", "Riverlands", "Rotorua", "Ruapehu", "Ruahine", "Selwyn", "Seven Hills", "Silverdale",
	"Southern Alps", "Southern Cross", "Southland", "Stewart & Lowe", "Tairāwhiti", "Taranaki", "Tararua", "Tasman",
	"Taupō", "Tauranga", "Tāwhai", "Te Awa", "Thames Valley", "Tide & Timber", "Timaru", "Tōtara", "Tūī", "Tukituki",
	"Waikato", "Waimea", "Waipā", "Wairarapa", "Waitaki", "Wakatipu", "Wānaka", "Westport", "Whakatāne", "Whanganui",
	"Whangārei", "Wharepapa", "Wilson Brothers", "Windsor", "Woodville",
}

var trades = []string{
	"Roofing", "Roofing & Cladding", "Metal Roofing", "Re-Roofing", "Longrun Roofing", "Roof & Gutter", "Roofing Services",
	"Slate & Tile", "Membrane Roofing", "Roof Restoration", "Commercial Roofing", "Roof & Spouting",
}

var branches = []string{
	"Auckland", "Blenheim", "Christchurch", "Dunedin", "Hamilton", "Hastings", "Invercargill", "Lower Hutt", "Masterton",
	"Napier", "Nelson", "New Plymouth", "Palmerston North", "Porirua", "Pukekohe", "Queenstown", "Rangiora", "Richmond",
	"Rolleston", "Taihape", "Te Awamutu", "Tokoroa", "Upper Hutt", "Wellington",
}

// name returns the i-th name of a seed: plain companies first, then branches in each town, then numbers.
func name(seed uint64, i int) string {
	plain := len(leads) * len(trades)
	round, i := i/plain, i%plain
	// A prime step that does not divide the number of names visits each of them once, in no visible order.
	const step = 7919
	at := (int(seed%uint64(plain)) + i*step) % plain
	company := leads[at%len(leads)] + " " + trades[at/len(leads)]
	switch {
	case round == 0:
		return company + " Ltd"
	case round <= len(branches):
		return fmt.Sprintf("%s %s Ltd", company, branches[round-1])
	default:
		return fmt.Sprintf("%s (%d) Ltd", company, round-len(branches)+1)
	}
}
