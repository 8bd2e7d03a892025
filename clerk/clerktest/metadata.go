package clerktest

import (
	"bytes"
	"encoding/json"
	"regexp"
)

const (
	paramPublicMetadata  = "public_metadata"
	paramPrivateMetadata = "private_metadata"
)

// maxMetadata bounds each kind of an organization's metadata, in bytes of compact JSON.
//
// https://clerk.com/docs/guides/organizations/metadata
const maxMetadata = 8 << 10

// object is a JSON object. Numbers stay as they were written.
type object = map[string]any

func decodeObject(raw json.RawMessage) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var o object
	if err := decoder.Decode(&o); err != nil {
		return nil, err
	}
	return o, nil
}

// merge applies a patch: objects are merged at any depth, null removes, all else replaces. It is JSON Merge Patch.
//
// https://www.rfc-editor.org/rfc/rfc7396
func merge(target, patch object) object {
	if target == nil {
		target = object{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(target, key)
		case object:
			inner, _ := target[key].(object)
			target[key] = merge(inner, value)
		default:
			target[key] = value
		}
	}
	return target
}

// PATCH /organizations/{id}/metadata
func (s *Server) mergeMetadata(c *call) (any, error) {
	return s.writeMetadata(c, merge)
}

// PUT /organizations/{id}/metadata
func (s *Server) replaceMetadata(c *call) (any, error) {
	return s.writeMetadata(c, replaced)
}

func replaced(_, given object) object { return given }

// writeMetadata changes each kind of metadata that was given. What was left out stays as it is.
func (s *Server) writeMetadata(c *call, change func(old, given object) object) (any, error) {
	p, err := c.bodyParams(paramPublicMetadata, paramPrivateMetadata)
	if err != nil {
		return nil, err
	}
	o, err := s.organizationToWrite(c)
	if err != nil {
		return nil, err
	}
	if err := p.changeMetadata(&o, change); err != nil {
		return nil, err
	}
	s.store(o)
	s.wrote(c, o)
	return s.organizations[o.ID].json(), nil
}

func (p params) changeMetadata(o *Organization, change func(old, given object) object) (err error) {
	if o.PublicMetadata, err = p.metadata(paramPublicMetadata, o.PublicMetadata, change); err != nil {
		return err
	}
	o.PrivateMetadata, err = p.metadata(paramPrivateMetadata, o.PrivateMetadata, change)
	return err
}

// metadata returns what one kind of metadata is after the change.
func (p params) metadata(
	name string, old json.RawMessage, change func(old, given object) object,
) (json.RawMessage, error) {
	if p[name] == nil {
		return old, nil
	}
	given, err := decodeObject(p[name])
	if err != nil || given == nil {
		return nil, paramInvalid(name, "must be an object")
	}
	before, err := decodeObject(old)
	if err != nil {
		before = nil // EditMetadata can store JSON that is no object
	}
	after, err := json.Marshal(change(before, given))
	if err != nil {
		return nil, err
	}
	if len(after) > maxMetadata {
		return nil, paramTooLarge(name, maxMetadata)
	}
	return after, nil
}

var organizationIDForm = regexp.MustCompile(`^org_[A-Za-z0-9]+$`)

// organizationToWrite finds the organization by its ID; a slug will not do. With AutoCreate it may be one that is not
// stored yet.
func (s *Server) organizationToWrite(c *call) (Organization, error) {
	if o, ok := s.organizations[c.organization]; ok {
		return o, nil
	}
	if s.config.AutoCreate && organizationIDForm.MatchString(c.organization) {
		return s.newOrganization(c.organization, "Organization "+c.organization), nil
	}
	return Organization{}, errNotFound
}
