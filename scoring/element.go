package scoring

// Element is one of the 19 elements of the quality management system that documentation is scored by.
type Element uint8

// The elements, in the order in which they are scored and reported.
const (
	QualityPolicy Element = iota + 1
	QualityObjectives
	OrgStructure
	ProcessManagement
	Documentation
	TrainingCompetence
	ContractReview
	DocumentControl
	Purchasing
	CustomerProduct
	Traceability
	ProcessControl
	InspectionTesting
	NonconformingProduct
	CorrectiveAction
	HandlingStorage
	QualityRecords
	InternalAudits
	Servicing
)

const elementCount = int(Servicing)

var elements = words[Element]{"ISO element", []string{
	"QUALITY_POLICY", "QUALITY_OBJECTIVES", "ORG_STRUCTURE", "PROCESS_MANAGEMENT", "DOCUMENTATION",
	"TRAINING_COMPETENCE", "CONTRACT_REVIEW", "DOCUMENT_CONTROL", "PURCHASING", "CUSTOMER_PRODUCT", "TRACEABILITY",
	"PROCESS_CONTROL", "INSPECTION_TESTING", "NONCONFORMING_PRODUCT", "CORRECTIVE_ACTION", "HANDLING_STORAGE",
	"QUALITY_RECORDS", "INTERNAL_AUDITS", "SERVICING",
}}

var elementTitles = [elementCount]string{
	"Quality policy", "Quality objectives", "Organization structure", "Process management", "Documentation",
	"Training and competence", "Contract review", "Document control", "Purchasing", "Customer-supplied product",
	"Traceability", "Process control", "Inspection and testing", "Nonconforming product", "Corrective action",
	"Handling and storage", "Quality records", "Internal audits", "Servicing",
}

var elementWeights = [elementCount]float64{
	1.5, 1.2, 1.0, 1.3, 1.0, 1.4, 1.0, 1.1, 0.8, 0.9, 1.2, 1.3, 1.4, 1.1, 1.2, 0.7, 1.0, 1.3, 0.9,
}

// Elements lists the elements in the order in which they are scored and reported.
func Elements() []Element { return elements.all() }

func (e Element) String() string { return elements.name(e) }

// Title is the element's name as a person reads it, such as "Quality policy".
func (e Element) Title() string {
	if !elements.valid(e) {
		return e.String()
	}
	return elementTitles[e-1]
}

// Weight is the element's share in the documentation score, relative to the other elements' weights.
func (e Element) Weight() float64 {
	if !elements.valid(e) {
		return 0
	}
	return elementWeights[e-1]
}

// MarshalText gives the name on the wire and in the database.
func (e Element) MarshalText() ([]byte, error) { return elements.marshal(e) }

// UnmarshalText refuses an unknown name.
func (e *Element) UnmarshalText(text []byte) error { return elements.unmarshal(e, text) }
