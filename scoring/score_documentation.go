package scoring

// elementEvidence is what the documents and the assessment of one element amount to.
type elementEvidence struct {
	documents  int
	approved   bool
	assessment *Assessment
}

func scoreDocumentation(f *Facts, found []Issue) (DocumentationScore, []Issue) {
	evidence := collectEvidence(f)
	result := DocumentationScore{Weight: documentationWeight}
	var sum, weights float64
	for i := range elementCount {
		element := evidence[i].score(Element(i + 1))
		result.Elements[i] = element
		sum += float64(element.Score * element.Weight) // the conversion prevents fusing, see overall
		weights += element.Weight

		switch {
		case element.Score == 0:
			found = append(found, missingElement[i])
		case element.Score < 50 && !element.HasApprovedDoc:
			found = append(found, pendingElement[i])
		}
	}
	result.Score = roundHalfUp(sum / weights)
	return result, found
}

func collectEvidence(f *Facts) (evidence [elementCount]elementEvidence) {
	for i := range f.Documents {
		document := &f.Documents[i]
		if document.Deleted {
			continue
		}
		of := &evidence[document.Element-1]
		of.documents++
		of.approved = of.approved || document.Status == DocumentApproved
	}
	for i := range f.Assessments {
		assessment := &f.Assessments[i]
		evidence[assessment.Element-1].assessment = assessment
	}
	return evidence
}

func (e *elementEvidence) score(element Element) ElementScore {
	s := ElementScore{
		Element:        element,
		Weight:         elementWeights[element-1],
		DocumentCount:  e.documents,
		HasApprovedDoc: e.approved,
	}
	switch {
	case e.assessment != nil:
		s.Score, s.Status = e.assessment.Score, e.assessment.Status
	case e.approved:
		s.Score, s.Status = 75, Partial
	case e.documents > 0:
		s.Score, s.Status = 25, Partial
	default:
		s.Score, s.Status = 0, NotAssessed
	}
	return s
}

// The issues of every element, made once: a calculation formats nothing.
var missingElement, pendingElement = elementIssues()

func elementIssues() (missing, pending [elementCount]Issue) {
	for i, element := range Elements() {
		severity := SeverityInfo
		if element.Weight() >= 1.3 {
			severity = SeverityWarning
		}
		missing[i] = Issue{CategoryDocumentation, severity, "DOC_MISSING_" + element.String(),
			element.Title() + " has nothing that counts: add a document and have it approved or assessed."}
		pending[i] = Issue{CategoryDocumentation, SeverityInfo, "DOC_PENDING_" + element.String(),
			element.Title() + " has no approved document yet."}
	}
	return missing, pending
}
