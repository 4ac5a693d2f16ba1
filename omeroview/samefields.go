package omeroview

import "reflect"

// copyFields sets the fields of the struct that to points to from those of the
// same names of another one: the client and the pack have equal words for how
// images were taken. Ids are numbers in the one and texts in the other, and
// structs in structs have each their own meaning; these are left alone.
func copyFields(to, from any) {
	src, dst := reflect.Indirect(reflect.ValueOf(from)), reflect.ValueOf(to).Elem()
	for _, f := range reflect.VisibleFields(src.Type()) {
		d := dst.FieldByName(f.Name)
		s := src.FieldByIndex(f.Index)
		if f.Anonymous || !d.IsValid() || d.Kind() != s.Kind() || !s.CanConvert(d.Type()) {
			continue
		}
		d.Set(s.Convert(d.Type()))
	}
}
