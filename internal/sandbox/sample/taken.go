package sample

import (
	"fmt"
	"strings"

	"omerods/internal/sandbox/store"
)

// Taken adds to the OME-XML of one image with three channels how a confocal
// microscope took it. Some units are not those that the schema presumes.
func Taken(doc string) string {
	const instrument = `
<Instrument ID="Instrument:0">
<Microscope Type="Inverted" Manufacturer="Zeiss" Model="LSM 980" SerialNumber="4711"/>
<Laser ID="LightSource:0" Manufacturer="Coherent" Model="Obis" Power="30" PowerUnit="mW" Type="Semiconductor" LaserMedium="GaAs" Wavelength="405" Tuneable="false" Pulse="CW">` + `<Pump ID="LightSource:2"/></Laser>
<Laser ID="LightSource:1" Manufacturer="Coherent" Power="0.02" PowerUnit="W" Type="SolidState" LaserMedium="NdYAG" Wavelength="561" FrequencyMultiplication="2" RepetitionRate="80" RepetitionRateUnit="MHz" PockelCell="true"/>
<Arc ID="LightSource:2" Manufacturer="Osram" Type="Hg" Power="100"/>
<LightEmittingDiode ID="LightSource:3" Manufacturer="CoolLED"/>
<GenericExcitationSource ID="LightSource:4" Model="home-made"><Map><M K="colour">white</M><M K="colour">cold</M></Map></GenericExcitationSource>
<Detector ID="Detector:0" Manufacturer="Hamamatsu" Model="R9624" Gain="700" Voltage="0.6" VoltageUnit="kV" Offset="0.5" Zoom="2" Type="PMT"/>
<Detector ID="Detector:1" Manufacturer="Zeiss" Model="GaAsP" AmplificationGain="3.5" Type="APD"/>
<Detector ID="Detector:2" Model="Axiocam" Type="CMOS"/>
<Objective ID="Objective:0" Manufacturer="Zeiss" Model="Plan-Apochromat" NominalMagnification="63" CalibratedMagnification="62.8" LensNA="1.4" Immersion="Oil" Correction="PlanApo" WorkingDistance="0.19" WorkingDistanceUnit="mm" Iris="false"/>
<Objective ID="Objective:1" Manufacturer="Zeiss" NominalMagnification="20" LensNA="0.8" Immersion="Air" Correction="PlanApo"/>
<FilterSet ID="FilterSet:0" Model="Set 49"><ExcitationFilterRef ID="Filter:0"/><DichroicRef ID="Dichroic:0"/><EmissionFilterRef ID="Filter:1"/></FilterSet>
<Filter ID="Filter:0" Model="BP 405" Type="BandPass" FilterWheel="1"><TransmittanceRange CutIn="395" CutOut="415" CutInTolerance="2" CutOutTolerance="3" Transmittance="0.9"/></Filter>
<Filter ID="Filter:1" Model="LP 561" Type="LongPass"><TransmittanceRange CutIn="0.561" CutInUnit="µm"/></Filter>
<Dichroic ID="Dichroic:0" Manufacturer="Chroma" Model="MBS 405/561"/>
</Instrument>`
	const image = `
<InstrumentRef ID="Instrument:0"/>
<ObjectiveSettings ID="Objective:0" CorrectionCollar="0.17" Medium="Oil" RefractiveIndex="1.518"/>
<ImagingEnvironment Temperature="310.15" TemperatureUnit="K" AirPressure="1013" Humidity="0.6" CO2Percent="0.05"><Map><M K="chamber">closed</M></Map></ImagingEnvironment>
<StageLabel Name="slot 3" X="12.5" XUnit="mm" Y="-3" YUnit="mm" Z="100"/>`
	channels := []string{
		`<LightSourceSettings ID="LightSource:0" Attenuation="0.8" Wavelength="405"/><DetectorSettings ID="Detector:0" Gain="650" Offset="0.1" Binning="1x1" ReadOutRate="1.5" Zoom="2" Integration="4"/>` +
			`<FilterSetRef ID="FilterSet:0"/><LightPath><ExcitationFilterRef ID="Filter:0"/><DichroicRef ID="Dichroic:0"/><EmissionFilterRef ID="Filter:1"/></LightPath>`,
		`<LightSourceSettings ID="LightSource:1" Attenuation="0.25"/><DetectorSettings ID="Detector:1" Gain="800" Voltage="700"/><LightPath><EmissionFilterRef ID="Filter:1"/><EmissionFilterRef ID="Filter:0"/></LightPath>`,
		`<DetectorSettings ID="Detector:0" Gain="500"/>`,
	}
	var planes strings.Builder
	for n := range 15 {
		fmt.Fprintf(&planes, "\n<Plane TheZ=\"%d\" TheC=\"%d\" TheT=\"0\" DeltaT=\"%d\" DeltaTUnit=\"ms\" ExposureTime=\"0.%d\" PositionX=\"12.5\" PositionXUnit=\"mm\" PositionZ=\"%d\"/>", n%5, n/5, 40*n, n/5+1, n%5)
	}
	doc = strings.Replace(doc, "\n<Image ", instrument+"\n<Image ", 1)
	doc = strings.Replace(doc, "\n<Pixels ", image+"\n<Pixels TimeIncrement=\"0.2\" TimeIncrementUnit=\"min\" ", 1)
	for c, more := range channels {
		at := strings.Index(doc, fmt.Sprintf(`<Channel ID="Channel:0:%d"`, c))
		if at < 0 {
			break
		}
		end := at + strings.Index(doc[at:], "/>")
		doc = doc[:end] + ` PinholeSize="1.2" NDFilter="0.3" AcquisitionMode="LaserScanningConfocalMicroscopy" IlluminationType="Epifluorescence" ContrastMethod="Fluorescence" PockelCellSetting="7">` +
			more + "</Channel>" + doc[end+2:]
	}
	return strings.Replace(doc, "\n</Pixels>", planes.String()+"\n</Pixels>", 1)
}

// Correct changes in OMERO what Taken says of an image: a channel, an
// objective, the exposure of a plane and the stage get other values, a detector
// that nothing uses goes, the chamber is described anew.
func Correct(a *store.Author, image int64) error {
	tx := a.Tx()
	get := func(class string, id int64) *store.Row { return tx.Get(tx.Model().Class(class), id) }
	change := func(row *store.Row, v store.Values) error {
		if row == nil {
			return fmt.Errorf("image %d lacks what there is to correct", image)
		}
		row = row.Clone()
		if err := tx.Fill(row, v); err != nil {
			return err
		}
		a.Update(row)
		return nil
	}
	im := get("Image", image)
	instrument := im.Ref("instrument")
	of := func(class, member string, of int64, is func(*store.Row) bool) *store.Row {
		for row := range tx.Rows(tx.Model().Class(class)) {
			if row.Ref(member) == of && is(row) {
				return row
			}
		}
		return nil
	}
	pixels := of("Pixels", "image", image, func(*store.Row) bool { return true })
	if pixels == nil {
		return fmt.Errorf("image %d has no pixels", image)
	}
	channel := of("Channel", "pixels", pixels.ID, func(*store.Row) bool { return true })
	plane := of("PlaneInfo", "pixels", pixels.ID, func(r *store.Row) bool { return r.Get("theZ") == int32(2) && r.Get("theC") == int32(1) })
	if channel == nil || plane == nil {
		return fmt.Errorf("image %d lacks what there is to correct", image)
	}
	exposure, _ := plane.Get("exposureTime").(store.Quantity)
	exposure.Value *= 2
	for _, c := range []struct {
		row *store.Row
		v   store.Values
	}{
		{get("LogicalChannel", channel.Ref("logicalChannel")), store.Values{"name": "nuclei (corrected)", "ndFilter": nil}},
		{of("Objective", "instrument", instrument, func(r *store.Row) bool { return r.Get("nominalMagnification") == 63.0 }), store.Values{"calibratedMagnification": 63.1, "iris": true, "immersion": "Glycerol"}},
		{plane, store.Values{"exposureTime": exposure, "positionZ": nil}},
		{get("StageLabel", im.Ref("stageLabel")), store.Values{"name": "slot 4"}},
		{get("ImagingEnvironment", im.Ref("imagingEnvironment")), store.Values{"humidity": 0.55, "map": []store.NamedValue{{Name: "chamber", Value: "open"}, {Name: "chamber", Value: "heated"}}}},
	} {
		if err := change(c.row, c.v); err != nil {
			return err
		}
	}
	unused := of("Detector", "instrument", instrument, func(r *store.Row) bool { return r.Text("model") == "Axiocam" })
	if unused == nil {
		return fmt.Errorf("image %d lacks what there is to correct", image)
	}
	a.Delete(unused)
	return nil
}
