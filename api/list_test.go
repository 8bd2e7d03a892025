package api

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// lister writes the listing of one package.
type lister struct {
	pkg   *types.Package
	lines []string
}

// list returns the listing of a package: a line for each exported identifier, each exported field and each method, those of
// embedded types included, sorted.
func list(pkg *types.Package) string {
	l := &lister{pkg: pkg}
	for _, name := range pkg.Scope().Names() {
		if object := pkg.Scope().Lookup(name); object.Exported() {
			l.add(object)
		}
	}
	slices.Sort(l.lines)
	return strings.Join(l.lines, "\n") + "\n"
}

func (l *lister) printf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// qualify names the package of a type: an internal one in full, so that a leak is seen.
func (l *lister) qualify(pkg *types.Package) string {
	switch {
	case pkg == l.pkg:
		return ""
	case strings.HasPrefix(pkg.Path(), module+"/internal/"):
		return pkg.Path()
	default:
		return pkg.Name()
	}
}

func (l *lister) typeString(t types.Type) string { return types.TypeString(t, l.qualify) }

func (l *lister) add(object types.Object) {
	switch object := object.(type) {
	case *types.Const:
		l.printf("const %s %s = %s", object.Name(), l.typeString(object.Type()), object.Val().ExactString())
	case *types.TypeName:
		l.addType(object)
	default: // a function, or a variable
		l.printf("%s", types.ObjectString(object, l.qualify))
	}
}

func (l *lister) addType(object *types.TypeName) {
	named, ok := object.Type().(*types.Named)
	if object.IsAlias() || !ok {
		l.printf("type %s = %s", object.Name(), l.typeString(types.Unalias(object.Type())))
		return
	}
	name := l.typeString(named)
	switch underlying := named.Underlying().(type) {
	case *types.Struct:
		l.printf("type %s struct", name)
		l.addFields(name, underlying)
	case *types.Interface:
		l.printf("type %s interface", name)
		l.addInterface(name, underlying)
		return
	default:
		l.printf("type %s %s", name, l.typeString(underlying))
	}
	l.addMethods(named)
}

func (l *lister) addFields(name string, of *types.Struct) {
	for i := range of.NumFields() {
		switch field := of.Field(i); {
		case !field.Exported():
		case field.Embedded():
			l.printf("type %s struct, embeds %s", name, l.typeString(field.Type()))
		default:
			l.printf("type %s struct, %s %s", name, field.Name(), l.typeString(field.Type()))
		}
	}
}

// addInterface notes methods that are not exported too: nobody else can implement it then.
func (l *lister) addInterface(name string, of *types.Interface) {
	for method := range of.Methods() {
		if !method.Exported() {
			l.printf("type %s interface, unexported methods", name)
			continue
		}
		l.printf("type %s interface, %s%s", name, method.Name(), l.signature(method))
	}
}

func (l *lister) addMethods(of *types.Named) {
	byValue := types.NewMethodSet(of)
	for selection := range types.NewMethodSet(types.NewPointer(of)).Methods() {
		method := selection.Obj().(*types.Func)
		if !method.Exported() {
			continue
		}
		receiver := "*" + l.typeString(of)
		if byValue.Lookup(l.pkg, method.Name()) != nil {
			receiver = l.typeString(of)
		}
		l.printf("method (%s) %s%s", receiver, method.Name(), l.signature(method))
	}
}

func (l *lister) signature(method *types.Func) string {
	return strings.TrimPrefix(l.typeString(method.Signature()), "func")
}
