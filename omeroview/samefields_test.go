package omeroview

import (
	"reflect"
	"slices"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// Every field of the client's structs that is no id has one of its name in the
// pack's, and comes back from there.
func TestFieldsOfTheClientAndThePackAgree(t *testing.T) {
	for _, pair := range []struct{ client, pack any }{
		{omero.Microscope{}, pack.Microscope{}}, {omero.Objective{}, pack.Objective{}}, {omero.Detector{}, pack.Detector{}},
		{omero.LightSource{}, pack.LightSource{}}, {omero.Filter{}, pack.Filter{}}, {omero.Transmission{}, pack.Transmission{}},
		{omero.Dichroic{}, pack.Dichroic{}}, {omero.FilterSet{}, pack.FilterSet{}}, {omero.OTF{}, pack.OTF{}},
		{omero.ObjectiveSettings{}, pack.ObjectiveSettings{}}, {omero.Environment{}, pack.Environment{}},
		{omero.DetectorSettings{}, pack.DetectorSettings{}}, {omero.LightSettings{}, pack.LightSettings{}},
		{omero.LogicalChannel{}, pack.Channel{}}, {omero.Experiment{}, pack.Experiment{}}, {omero.Manipulation{}, pack.Manipulation{}},
		{omero.PixelsSettings{}, pack.Pixels{}},
	} {
		from := reflect.New(reflect.TypeOf(pair.client))
		want := 0
		for _, f := range reflect.VisibleFields(from.Elem().Type()) {
			_, mapped := f.Tag.Lookup("model")
			if !mapped || f.Type.Kind() == reflect.Int64 || f.Type.Kind() == reflect.Slice || f.Name == "SizeC" {
				continue
			}
			field := from.Elem().FieldByIndex(f.Index)
			switch field.Kind() {
			case reflect.String:
				field.SetString(f.Name)
			case reflect.Pointer:
				field.Set(reflect.New(f.Type.Elem()))
			default:
				t.Fatalf("%s.%s is a %s", from.Elem().Type(), f.Name, f.Type)
			}
			want++
		}
		to := reflect.New(reflect.TypeOf(pair.pack))
		copyFields(to.Interface(), from.Interface())
		back := reflect.New(reflect.TypeOf(pair.client))
		copyFields(back.Interface(), to.Interface())
		if !reflect.DeepEqual(back.Interface(), from.Interface()) || want == 0 && from.Elem().Type() != reflect.TypeFor[omero.Dichroic]() {
			t.Errorf("%s: got %+v, want %+v", from.Elem().Type(), back.Elem(), from.Elem())
		}
	}
}

// Planes are copied as they are, so their units must have one numbering.
func TestUnitsOfPlanesAgree(t *testing.T) {
	if !slices.Equal(omero.PlaneUnits, pack.PlaneUnits) || omero.PositionX != pack.PositionX || omero.PlaneFields != pack.PlaneFields {
		t.Errorf("got %q, want %q", pack.PlaneUnits, omero.PlaneUnits)
	}
}
